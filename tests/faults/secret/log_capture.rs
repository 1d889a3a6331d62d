//! Records the messages of `tracing` and `log`.

use std::{
    fmt::{Debug, Write as _},
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};

/// Open until dropped, for what runs in this thread; `log` knows no threads, so that is heard from everywhere.
pub(super) struct LogCapture {
    captured: Arc<Captured>,
    _open: DefaultGuard,
}

#[derive(Default)]
struct Captured {
    text: Mutex<String>,
    spans: AtomicU64,
}

/// The messages of `log` in the whole process.
static LOGGED: Mutex<String> = Mutex::new(String::new());

impl LogCapture {
    pub(super) fn open() -> Self {
        static LOG: LazyLock<()> = LazyLock::new(|| {
            log::set_logger(&Logger).expect("nobody else listens in this process");
            log::set_max_level(log::LevelFilter::Trace);
        });
        LazyLock::force(&LOG);
        let captured = Arc::new(Captured::default());
        let open = tracing::subscriber::set_default(CapturingSubscriber(Arc::clone(&captured)));
        Self { captured, _open: open }
    }

    /// Everything so far.
    pub(super) fn heard(&self) -> String {
        let captured = self.captured.text.lock().unwrap().clone();
        assert!(!captured.is_empty(), "the client logs its calls");
        captured + &LOGGED.lock().unwrap()
    }
}

struct CapturingSubscriber(Arc<Captured>);

impl CapturingSubscriber {
    fn tell(&self, what: &str, metadata: &Metadata<'_>, record: impl FnOnce(&mut Line<'_>)) {
        let mut text = self.0.text.lock().unwrap();
        write!(text, "{what} {} {}", metadata.target(), metadata.name()).unwrap();
        record(&mut Line(&mut text));
        text.push('\n');
    }
}

impl Subscriber for CapturingSubscriber {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        self.tell("span", attributes.metadata(), |line| attributes.record(line));
        span::Id::from_u64(self.0.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut Line(&mut self.0.text.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        self.tell("event", event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Line<'t>(&'t mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        writeln!(LOGGED.lock().unwrap(), "{} {}", record.target(), record.args()).unwrap();
    }

    fn flush(&self) {}
}
