//! `ideogram batch`: a file of prompts to a folder of images, without paying for a prompt twice.
//!
//! [`input`] reads the file ([`table`] if it is a table), [`row`] turns its rows into requests ([`spelling`] what cells
//! mean, [`canonical`] when JSON values are equal), [`plan`] decides what is done with each, [`questions`] asks before it
//! costs much, [`run`] sends and saves ([`send`] one row, [`images`] the images of a response, [`streak`] when to stop),
//! [`report`] summarizes, [`sheet`] writes the contact sheet. [`journal`] and [`ledger`] record what was sent,
//! [`state`] lists the states of rows and images, [`killed`] waits for the worker of a killed run.
//!
//! The folder of a batch contains the images with their sidecars; the journal `batch.jsonl`; stored responses in
//! `responses/`; `thumbnails/`; and `contact-sheet.html`.

mod budget;
mod canonical;
mod columns;
mod digest;
mod disk;
mod draft;
mod images;
mod input;
mod journal;
mod killed;
mod ledger;
mod model;
mod plan;
mod preview;
mod properties;
mod questions;
mod raw;
mod report;
#[cfg(test)]
mod respelling;
mod row;
mod run;
mod send;
mod sheet;
mod spelling;
mod state;
mod status;
mod streak;
mod table;
mod thumbnail;

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use ideogram_client::usage::Decimal;
use serde_json::{Map, json};
use tokio::sync::watch;

use self::{
    budget::Budget,
    columns::Columns,
    disk::blocking,
    draft::Reading,
    input::Form,
    journal::{Header, History, Journal, Line, Run, now},
    ledger::{Claim, Ledger, Records},
    model::Model,
    plan::{Allowed, Plan},
    report::{Counts, Stop},
    row::Row,
    send::Work,
    status::Status,
};
use crate::{
    failure::{Failure, PRICES_PAGE},
    images::{ready, save_flags::out_folder},
    output::{ResultStream, units},
    session::context::Context,
    text_input::{self, Encoding, Stdin, Unreadable},
};

const RESPONSES: &str = "responses";
const THUMBNAILS: &str = "thumbnails";
const SHEET: &str = "contact-sheet.html";

/// Generate images for a file of prompts, without paying for a prompt twice
///
/// FILE has a row for each call: a table with a header, as spreadsheets and data frames save it (.csv, .tsv), JSON
/// (.jsonl, .json), or a prompt on each line (.txt). A row has a `prompt`, and any other property of the request under
/// its name in the API, such as `num_images` or `aspect_ratio`. `model` (v4.5, v4, v3, legacy) or `operation` (an id of
/// `ideogram operations`) selects the call, and `id` names the files of the row. Properties that are files take paths,
/// relative to the folder of FILE. All rows are checked before the first is sent.
///
/// In tables and lists of prompts, white space around a cell or a prompt is ignored, and an empty cell is left out.
/// JSON is sent as it is written.
///
/// The folder has a journal. Run the same command again to continue where it stopped, with the same model and in the
/// same folder, without paying for a finished row twice. A row is identified by the request that is sent for it, in
/// whatever way it is written: a row with another request is a new row. If the command is killed, a second process still
/// stores what it has sent. Rows of unknown outcome, as after a power failure, are listed, and sent again only with
/// --rerun-unknown, since they may be billed. A row is sent again only after a question if it was sent from another folder
/// or with another model, if its journal is lost, or if a running batch is about to send it. With --yes, it needs
/// --pay-again. The folder also has every response, and contact-sheet.html, a page of all results.
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  ideogram batch prompts.jsonl --dry-run
  ideogram batch prompts.csv --model v3 --out lanterns --max-images 100
  ideogram batch prompts.jsonl                  again: continues where it stopped

A table:                                  The same as JSON lines:
  id,prompt,num_images,aspect_ratio         {{\"id\": \"lantern\", \"prompt\": \"a paper lantern\"}}
  lantern,a paper lantern,,                 {{\"id\": \"river\", \"prompt\": \"a river at night\",
  river,a river at night,4,16:9              \"num_images\": 4, \"aspect_ratio\": \"16:9\"}}

As JSON: .rows[], each with .row, .status and .images[]; .counts; .usd; .contact_sheet.
For example: --jq '.rows[].images[].path'

Prices: {PRICES_PAGE}; --quote prints that of the rows"))]
pub(crate) struct Batch {
    /// The rows: .csv, .tsv, .jsonl, .json or .txt; - reads them from standard input, and needs --out
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The folder for images and journal [default: the folder of an earlier run, or the name of FILE with -images]
    #[arg(long, short, value_name = "DIR", value_parser = out_folder())]
    out: Option<PathBuf>,

    /// The format of the file [default: by its extension; JSON lines from standard input]
    #[arg(long, value_name = "FORM", value_enum)]
    form: Option<Form>,

    /// The column with the prompts, if it is not called `prompt`
    #[arg(long, value_name = "NAME")]
    prompt_column: Option<String>,

    /// Leave out a column that is not a property of the request; several times for several
    #[arg(long, value_name = "NAME")]
    ignore_column: Vec<String>,

    /// The model of rows that name none [default: the model of an earlier run, or v4.5]
    #[arg(long, value_parser = Model::parser())]
    model: Option<Model>,

    /// Stop before more images than this are requested, including earlier runs
    #[arg(long, value_name = "NUMBER")]
    max_images: Option<u64>,

    /// Stop before the quoted prices of all rows sum to more than this, in US dollars, including earlier runs; only for
    /// rows whose operation has quotes
    #[arg(long, value_name = "AMOUNT", value_parser = units::parse_usd)]
    max_usd: Option<u64>,

    /// Print what the rows to be sent cost by the service's quotes, and send nothing else
    #[arg(long)]
    quote: bool,

    /// The maximum number of images in flight; the service allows 10 unless agreed otherwise
    #[arg(long, value_name = "NUMBER", default_value = "10", value_parser = clap::value_parser!(u32).range(1..=1000))]
    max_in_flight: u32,

    /// Stop after this many consecutive rows were refused for one reason, such as balance or safety; 0 never stops
    #[arg(long, value_name = "NUMBER", default_value = "3")]
    stop_after: u32,

    /// Send rows of unknown outcome again, though they may be billed already
    #[arg(long)]
    rerun_unknown: bool,

    /// Pay again for rows that were sent from another folder or with another model, whose journal is lost, or that a running
    /// batch is about to send
    #[arg(long)]
    pay_again: bool,

    /// Send rows again that were declined for their content
    #[arg(long)]
    retry_declined: bool,

    /// Leave values and properties that the API's document does not know to the service
    #[arg(long)]
    unchecked: bool,
}

impl Batch {
    pub(crate) fn max_images_in_flight(&self) -> u32 {
        self.max_in_flight
    }

    pub(crate) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        // The port of the embedded mock server differs each time.
        let base_url = if context.is_mock() { "mock" } else { context.client().base_url().as_str() };
        let ledgers = if context.is_mock() { None } else { ledger::folder() };
        let folder = self.folder(context, ledgers.as_deref(), base_url).await?;
        let journal_path = journal::path_in(&folder);
        let history = killed::history(context, &journal_path, base_url).await?;
        let model = self.model(context, &history);
        let rows = self.rows(context, model).await?;
        let records = || async {
            let Some(ledgers) = ledgers.clone() else { return Ok(Records::new()) };
            let (base_url, folder, rows) = (base_url.to_owned(), folder.clone(), Arc::clone(&rows));
            blocking(move || ledger::records(&ledgers, &base_url, &folder, &rows)).await
        };
        let allowed = Allowed {
            rerun_unknown: self.rerun_unknown,
            retry_declined: self.retry_declined,
            pay_again: self.pay_again,
        };
        let known = records().await?;
        let mut expected = plan::plan(&rows, &history, &folder, &known, allowed).await?;
        questions::note_repeated(context, &rows, &expected);
        self.note_unused_model(context, &rows);
        questions::note_comments(context, &rows, &expected);
        if context.is_dry_run() {
            return preview::show(context, &rows, &expected).await;
        }
        if self.quote {
            return budget::quote(context, self.max_usd, &rows, &history, &expected).await;
        }
        if !expected.confirm.is_empty() {
            questions::confirm_paying_again(context, &folder, &rows, &expected).await?;
        }
        let confirmed = expected.send_confirmed();
        questions::confirm_number(context, &rows, &expected, &history, self.max_images).await?;

        let limits = (self.max_images, self.max_usd);
        let mut budget = Budget::begin(context, limits, &history, &rows, &expected).await?;

        prepare(&folder, &rows, &expected).await?;
        let header = Header { base_url: base_url.to_owned(), model: model.name().to_owned() };
        let (journal, current) = blocking(move || Journal::open(&journal_path, &header)).await?;
        let ledger = self.ledger(context, ledgers.clone(), base_url, &folder).await;
        let _claim = claim(ledger.clone(), &rows, &expected).await?;
        let mut plan = plan::plan(&rows, &history, &folder, &records().await?, allowed).await?;
        // Questions and limits are about what was read before the journal was locked.
        if plan.send_confirmed() != confirmed || plan.send != expected.send || current != history {
            return Err(Failure::usage(
                "another batch of these rows, or in this folder, began meanwhile: nothing was sent",
            )
            .hint("run the same command again"));
        }
        questions::report_history(context, &rows, &history, &plan);
        let line = Line::Run(Run {
            time: now(),
            rows: rows.len(),
            rows_hash: row::hash(&rows),
            process: context.interrupt().supervisor(),
        });
        {
            let journal = journal.clone();
            blocking(move || journal.append(&line)).await?;
        }

        let work = Work {
            context,
            journal,
            ledger,
            folder: &folder,
            rows: &rows,
            max_in_flight: self.max_in_flight,
            signalled: watch::Sender::default(),
            jobs: RefCell::default(),
            stop_after: self.stop_after,
        };
        let mut stream = context.output().stream("rows");
        let stop = work.run(&mut plan, &mut budget, &mut stream).await?;
        self.report(context, &folder, &rows, &plan.statuses, stream, (budget.usd_micros(), stop)).await
    }

    /// Says that `--model` has no effect, if it has none.
    fn note_unused_model(&self, context: &Context<'_>, rows: &[Row]) {
        let Some(model) = self.model else { return };
        let operations = model.operations();
        let has_model = |row: &Row| operations.iter().any(|operation| operation.id == row.request.operation().id);
        if !rows.iter().any(has_model) {
            let text = "has no effect: every row names another `model` or `operation`";
            context.output().note(&format!("--model {} {text}", model.name()));
        }
    }

    /// Reports the result of all rows: as data, as contact sheet, and as messages.
    async fn report(
        &self,
        context: &Context<'_>,
        folder: &Path,
        rows: &[Row],
        statuses: &[Status],
        stream: ResultStream<'_>,
        (usd_micros, stop): (Option<u64>, Option<Stop>),
    ) -> Result<(), Failure> {
        let output = context.output();
        let counts = Counts::of(statuses);
        let rows: Vec<_> = rows.iter().zip(statuses).collect();
        let sheet = self.sheet(folder, &rows, &counts).await;
        let path = sheet.as_ref().ok().map(|path| path.display().to_string());
        if let Some(micros) = usd_micros {
            output.note(&format!("the rows of all runs cost {}, by their quotes", units::usd(micros)));
        }
        let printed = stream.finish(Map::from_iter([
            ("counts".to_owned(), counts.to_json()),
            ("usd".to_owned(), json!(usd_micros.map(|micros| Decimal::from_micros(micros).to_string()))),
            ("contact_sheet".to_owned(), json!(path)),
        ]));
        if stop.is_none() && counts.is_complete() {
            output.note(&counts.line());
        }
        if let Some(path) = path {
            output.note(&format!("contact sheet: {path}"));
        }
        if let Some(note) = context.changes_note() {
            output.note(note);
        }
        // The rows matter more than the contact sheet.
        match (report::result(&rows, &counts, stop), sheet, printed) {
            (Err(failure), Err(sheet), _) => Err(sheet.causes().fold(failure.cause(sheet.what()), Failure::cause)),
            (result, sheet, printed) => result.and(sheet.map(drop)).and(printed),
        }
    }

    /// The folder for images and journal: `--out`, or where this file was sent before, or one named after the file.
    async fn folder(&self, context: &Context<'_>, ledgers: Option<&Path>, base_url: &str) -> Result<PathBuf, Failure> {
        if let Some(out) = &self.out {
            return Ok(out.clone());
        }
        let stem = self.file.file_stem().filter(|_| !self.is_stdin());
        let stem = stem.ok_or_else(|| {
            Failure::usage("rows from standard input need --out: the folder whose journal a later run continues")
        })?;
        let folder = PathBuf::from(format!("{}-images", stem.to_string_lossy()));
        let Some(ledgers) = ledgers.filter(|_| !journal::path_in(&folder).exists()) else { return Ok(folder) };
        let (ledgers, base_url, table) = (ledgers.to_owned(), base_url.to_owned(), self.file.clone());
        let mut earlier = blocking(move || ledger::folders_of(&ledgers, &base_url, &table)).await?;
        let Some(last) = earlier.pop() else { return Ok(folder) };
        if !earlier.is_empty() {
            let failure = Failure::usage("this file was sent from several folders: choose one with --out");
            let folders = earlier.iter().chain([&last]).map(|folder| folder.display().to_string());
            return Err(folders.fold(failure, Failure::fact));
        }
        context.output().note(&format!("continuing in \"{}\", where this file was sent before", last.display()));
        Ok(last)
    }

    /// The model of rows that name none: `--model`, or that of an earlier run.
    fn model(&self, context: &Context<'_>, history: &History) -> Model {
        let earlier = history.header.as_ref().and_then(|header| Model::find(&header.model));
        if let (None, Some(earlier)) = (self.model, earlier)
            && earlier != Model::default()
        {
            context.output().note(&format!("continuing with --model {}, as in an earlier run", earlier.name()));
        }
        self.model.or(earlier).unwrap_or_default()
    }

    /// Opens the ledger of the folder. If it cannot be written, the journal has to suffice.
    async fn ledger(
        &self,
        context: &Context<'_>,
        ledgers: Option<PathBuf>,
        base_url: &str,
        folder: &Path,
    ) -> Option<Ledger> {
        let table = Some(self.file.clone()).filter(|_| !self.is_stdin());
        let (base_url, folder) = (base_url.to_owned(), folder.to_owned());
        let ledgers = ledgers?;
        match blocking(move || Ledger::open(&ledgers, &base_url, &folder, table.as_deref())).await {
            Ok(ledger) => Some(ledger),
            Err(failure) => {
                let why = failure.causes().next().map_or_else(String::new, |cause| format!(": {cause}"));
                context.output().warning(&format!(
                    "only the journal in the folder records which rows are sent ({}{why}): keep the folder, or rows may \
                     be paid twice",
                    failure.what()
                ));
                None
            }
        }
    }

    fn is_stdin(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    /// Reads and checks all rows.
    async fn rows(&self, context: &Context<'_>, model: Model) -> Result<Arc<Vec<Row>>, Failure> {
        let name = if self.is_stdin() { "standard input".to_owned() } else { self.file.display().to_string() };
        let form = match self.form {
            Some(form) => form,
            None if self.is_stdin() => Form::Jsonl,
            None => Form::of(&self.file)?,
        };
        let bytes = text_input::read(&self.file, &Stdin::default(), "the file of rows", input::MAX_BYTES).await?;
        let folder = self.file.parent().filter(|_| !self.is_stdin()).unwrap_or(Path::new("")).to_owned();
        let reading = Reading { client: context.client().clone(), model, folder, unchecked: self.unchecked };
        let columns = Columns { prompt: self.prompt_column.clone(), ignored: self.ignore_column.clone() };
        // The files of the rows are hashed, which takes time: Ctrl-C must work meanwhile.
        blocking(move || {
            let text = text_input::decode(&bytes).map_err(|encoding| match encoding {
                Encoding::Spreadsheet(_) => input::is_spreadsheet(&name),
                encoding => Unreadable::Encoding(encoding).failure(&name),
            })?;
            let (mut raw, mut problems) = form.read(&text);
            // Of a large table, the text is as much again.
            drop(text);
            drop(bytes);
            problems.extend(columns.apply(&mut raw, reading.model, reading.unchecked));
            let rows = draft::rows(raw, &reading).unwrap_or_else(|more| {
                problems.extend(more);
                Vec::new()
            });
            problems.sort_by_key(|problem| problem.line);
            if !problems.is_empty() {
                return Err(input::refused(&name, &problems));
            }
            if rows.is_empty() {
                return Err(Failure::usage(format!("there are no rows in {name}")));
            }
            // Not a slice, which would be a second copy of all rows.
            Ok(Arc::new(rows))
        })
        .await
    }

    /// Writes the contact sheet, and returns its path.
    async fn sheet(&self, folder: &Path, rows: &[(&Row, &Status)], counts: &Counts) -> Result<PathBuf, Failure> {
        let files = rows.iter().flat_map(|(_, status)| status.images()).filter_map(|image| image.file.clone());
        thumbnail::make_all(folder, files.collect()).await;
        let path = folder.join(SHEET);
        let title = match self.file.file_name() {
            Some(name) if !self.is_stdin() => name.to_string_lossy().into_owned(),
            _ => folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        };
        let subtitle = sheet::subtitle(&now(), rows.len());
        sheet::write(folder, &title, &subtitle, rows, counts).map_err(|error| {
            Failure::local_io(format!("cannot write \"{}\"", path.display()))
                .because(&error)
                .hint("images and journal are complete; run the same command again to write the contact sheet")
        })?;
        Ok(path)
    }
}

/// Claims the rows to be sent, until the result is dropped.
async fn claim(ledger: Option<Ledger>, rows: &Arc<Vec<Row>>, plan: &Plan) -> Result<Option<Claim>, Failure> {
    let Some(ledger) = ledger.filter(|_| !plan.send.is_empty()) else { return Ok(None) };
    let (rows, send) = (Arc::clone(rows), plan.send.clone());
    blocking(move || ledger.claim(send.iter().map(|index| &rows[*index])).map(Some)).await
}

/// Creates the folders, and checks that responses, thumbnails and images can be written, before anything is paid.
async fn prepare(folder: &Path, rows: &[Row], plan: &Plan) -> Result<(), Failure> {
    for folder in [folder.to_owned(), folder.join(RESPONSES), folder.join(THUMBNAILS)] {
        ready::check_folder(folder).await?;
    }
    let stems = plan.send.iter().map(|index| rows[*index].name.clone());
    ready::check_stems(folder, stems.collect()).await
}
