//! `ideogram batch`: a file of prompts to a folder of images, each prompt paid at most once.
//!
//! [`input`] reads the file ([`table`] if it is a table), [`row`] understands its rows ([`spelling`] what cells mean,
//! [`canonical`] which JSON says the same), [`plan`] decides what is done with each, [`run`] sends and saves,
//! [`images`] saves the images of one response, [`report`] sums up, [`sheet`] shows it as a page. [`journal`] and
//! [`ledger`] remember across runs what was sent, [`status`] says what became of a row. The folder holds images, each
//! with a JSON file beside it; `batch.jsonl`, the journal; `responses/`, the responses as they came; `thumbnails/`; and
//! `contact-sheet.html`.

mod canonical;
mod images;
mod input;
mod journal;
mod ledger;
mod plan;
mod raw;
mod report;
mod row;
mod run;
mod sheet;
mod spelling;
mod status;
mod table;
mod thumbnail;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum as _};
use serde_json::{Map, json};

use self::{
    input::Form,
    journal::{Header, History, Journal, Line, Run},
    ledger::{Ledger, Records},
    plan::{Allowed, Plan},
    report::{Counts, Stop},
    row::{Model, Reading, Row},
    run::{Work, on_disk},
    status::Status,
};
use crate::{
    failure::Failure,
    images::{ready, save_flags::out_folder},
    output::layout::Layout,
    output::units,
    session::context::Context,
    session::dry_run,
    session::question,
    text_input::{self, Encoding, Stdin, Unreadable},
};

const RESPONSES: &str = "responses";
const THUMBNAILS: &str = "thumbnails";
const SHEET: &str = "contact-sheet.html";

/// More images than this need a yes first.
const MAX_WITHOUT_QUESTION: u64 = 20;

/// Make images for a file of prompts, paying for each prompt at most once
///
/// FILE holds a row for each call: a table with a header, as spreadsheets and data frames save it (.csv, .tsv), JSON
/// (.jsonl, .json), or a prompt on each line (.txt). A row has a `prompt`, and any other property of the request under
/// the name it has on the wire, such as `num_images` or `aspect_ratio`. `model` (v4, v3, legacy) or `operation` (an id
/// of `ideogram operations`) choose what is called, `id` names the files of a row. Properties that are files hold
/// paths, which begin at the folder of FILE. All rows are checked before any is sent.
///
/// In tables and lists of prompts, white space around a cell or a prompt does not count, and a cell without a value is
/// left out. JSON is sent as it is written.
///
/// The folder keeps a journal. The same command again goes on where it stopped, with the model and in the folder that
/// it was begun with, and pays for no finished row twice. Rows are known by what is sent for them, however they are
/// spelled: a row that asks for something else is a new one. Rows that were in flight when the command was killed are
/// listed, and sent again only with --rerun-unknown, since they may be paid. Rows that were begun in another folder or
/// with another model, or whose journal is lost, need a yes, and with --yes sent again only with --pay-again. The
/// folder also keeps every response as it came, and contact-sheet.html, a page of all results.
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram batch prompts.jsonl --dry-run
  ideogram batch prompts.csv --model v3 --out lanterns --max-images 100
  ideogram batch prompts.jsonl                  again: goes on where it stopped

A file of rows:
  {\"prompt\": \"a paper lantern\", \"id\": \"lantern\"}
  {\"prompt\": \"a river at night\", \"model\": \"v3\", \"num_images\": 4, \"aspect_ratio\": \"16x9\"}")]
pub(crate) struct Batch {
    /// The rows: .csv, .tsv, .jsonl, .json or .txt; - reads them from standard input, and needs --out
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The folder for images and journal [default: where FILE was begun, or the name of FILE with -images, here]
    #[arg(long, value_name = "DIR", value_parser = out_folder())]
    out: Option<PathBuf>,

    /// How the rows are written [default: by the extension; JSON lines from standard input]
    #[arg(long, value_name = "FORM", value_enum)]
    form: Option<Form>,

    /// What rows that do not say are made with [default: what the batch was begun with, or v4]
    #[arg(long, value_enum)]
    model: Option<Model>,

    /// Stop before more images than this are requested, those of earlier runs included
    #[arg(long, value_name = "NUMBER")]
    max_images: Option<u64>,

    /// How many images may be in the making at a time; the service allows 10 unless agreed otherwise
    #[arg(long, value_name = "NUMBER", default_value = "10", value_parser = clap::value_parser!(u32).range(1..=1000))]
    max_in_flight: u32,

    /// Stop after so many rows in a row were refused for the same reason, such as balance, rate or safety; 0 never
    #[arg(long, value_name = "NUMBER", default_value = "3")]
    stop_after: u32,

    /// Send rows of unknown outcome again, though they may be paid already
    #[arg(long)]
    rerun_unknown: bool,

    /// Pay again for rows that were begun in another folder or with another model, or whose journal is lost
    #[arg(long)]
    pay_again: bool,

    /// Send rows again that were declined for what they ask
    #[arg(long)]
    retry_declined: bool,

    /// Leave values and members that the API's document does not know to the service
    #[arg(long)]
    unchecked: bool,
}

impl Batch {
    pub(crate) fn max_images_in_flight(&self) -> u32 {
        self.max_in_flight
    }

    pub(crate) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        // The address of a mock server inside the command is another one each time.
        let base_url = if context.is_mock() { "mock" } else { context.client().base_url().as_str() };
        let ledgers = if context.is_mock() { None } else { ledger::place() };
        let folder = self.folder(context, ledgers.as_deref(), base_url).await?;
        let journal_path = journal::path_in(&folder);
        // Looked at first: a question that is answered with no leaves no trace.
        let history = {
            let (path, base_url) = (journal_path.clone(), base_url.to_owned());
            on_disk(move || Journal::look(&path, &base_url)).await?
        };
        let model = self.model(context, &history);
        let rows = self.rows(context, model).await?;
        let records = match &ledgers {
            Some(place) => {
                let (place, base_url, rows) = (place.clone(), base_url.to_owned(), rows.clone());
                on_disk(move || ledger::records(&place, &base_url, &rows)).await?
            }
            None => Records::new(),
        };
        let mut allowed = Allowed {
            rerun_unknown: self.rerun_unknown,
            retry_declined: self.retry_declined,
            pay_again: self.pay_again,
        };
        let looked = plan::plan(&rows, &history, &folder, &records, allowed).await?;
        if context.is_dry_run() {
            return show(context, &rows, &looked).await;
        }
        if !looked.ask.is_empty() {
            self.confirm_paying_again(context, &folder, &rows, &looked).await?;
            allowed.pay_again = true;
        }
        let looked = plan::plan(&rows, &history, &folder, &records, allowed).await?;
        self.confirm(context, &rows, &looked, &history).await?;

        make_ready(&folder, &rows, &looked).await?;
        let header = Header { base_url: base_url.to_owned(), model: name_of(model) };
        let (journal, history) = on_disk(move || Journal::open(&journal_path, &header)).await?;
        let mut plan = plan::plan(&rows, &history, &folder, &records, allowed).await?;
        if plan.send != looked.send {
            return Err(Failure::usage("another batch was at work in the folder meanwhile: nothing was sent")
                .hint("run the same command again"));
        }
        let ledger = self.ledger(context, ledgers, base_url, &folder).await;
        say_what_is_known(context, &rows, &history, &plan);
        let line = Line::Run(Run { time: run::now(), rows: rows.len(), rows_hash: row::hash(&rows) });
        {
            let journal = journal.clone();
            on_disk(move || journal.append(&line)).await?;
        }

        let work = Work {
            context,
            journal,
            ledger,
            folder: &folder,
            rows: &rows,
            places: self.max_in_flight,
            max_images: self.max_images,
            patience: self.stop_after,
        };
        let mut pieces = context.output().pieces("rows");
        let stop = work.run(&mut plan, history.images, &mut pieces).await?;
        self.sum_up(context, &folder, &rows, &plan.statuses, pieces, stop).await
    }

    /// Says what became of everything: as data, as a layout, and as messages.
    async fn sum_up(
        &self,
        context: &Context<'_>,
        folder: &Path,
        rows: &[Row],
        statuses: &[Status],
        pieces: crate::output::ResultStream<'_>,
        stop: Option<Stop>,
    ) -> Result<(), Failure> {
        let output = context.output();
        let counts = Counts::of(statuses);
        let sheet = self.sheet(folder, rows, statuses, &counts).await;
        let shown = sheet.as_ref().ok().map(|path| path.display().to_string());
        let printed = pieces.finish(Map::from_iter([
            ("counts".to_owned(), counts.to_json()),
            ("contact_sheet".to_owned(), json!(shown)),
        ]));
        if stop.is_none() && counts.is_complete() {
            output.note(&counts.line());
        }
        if let Some(path) = shown {
            output.note(&format!("contact sheet: {path}"));
        }
        if let Some(remark) = context.changes_note() {
            output.note(remark);
        }
        // What became of the rows comes before what became of the page.
        let verdict = report::verdict(&rows.iter().zip(statuses).collect::<Vec<_>>(), &counts, stop);
        match (verdict, sheet, printed) {
            (Err(failure), Err(sheet), _) => {
                let causes = sheet.causes().iter().fold(failure.cause(sheet.what()), Failure::cause);
                Err(causes)
            }
            (verdict, sheet, printed) => verdict.and(sheet.map(drop)).and(printed),
        }
    }

    /// Where images and journal go: as the user says, where this table was begun, or beside the working folder.
    async fn folder(&self, context: &Context<'_>, ledgers: Option<&Path>, base_url: &str) -> Result<PathBuf, Failure> {
        if let Some(out) = &self.out {
            return Ok(out.clone());
        }
        let stem = self.file.file_stem().filter(|_| !self.is_stdin());
        let stem = stem.ok_or_else(|| {
            Failure::usage("rows from standard input need --out: the folder with the journal, to find it again")
        })?;
        let folder = PathBuf::from(format!("{}-images", stem.to_string_lossy()));
        let Some(ledgers) = ledgers.filter(|_| !journal::path_in(&folder).exists()) else { return Ok(folder) };
        let (ledgers, base_url, table) = (ledgers.to_owned(), base_url.to_owned(), self.file.clone());
        let mut begun = on_disk(move || ledger::folders_of(&ledgers, &base_url, &table)).await?;
        let Some(last) = begun.pop() else { return Ok(folder) };
        if !begun.is_empty() {
            let failure = Failure::usage("this file was begun in several folders: --out says which one is meant");
            return Err(begun
                .iter()
                .chain([&last])
                .fold(failure, |failure, folder| failure.cause(folder.display().to_string())));
        }
        context.output().note(&format!("going on in \"{}\", where this file was begun", last.display()));
        Ok(last)
    }

    /// What rows are made with that do not say: as the user says, or as the batch was begun.
    fn model(&self, context: &Context<'_>, history: &History) -> Model {
        let begun = history.header.as_ref().and_then(|header| Model::from_str(&header.model, false).ok());
        if let (None, Some(begun)) = (self.model, begun)
            && begun != Model::V4
        {
            context.output().note(&format!("going on with --model {}, as the batch was begun", name_of(begun)));
        }
        self.model.or(begun).unwrap_or(Model::V4)
    }

    /// The ledger of the folder. Where it cannot be kept, the journal has to do.
    async fn ledger(
        &self,
        context: &Context<'_>,
        place: Option<PathBuf>,
        base_url: &str,
        folder: &Path,
    ) -> Option<Ledger> {
        let table = Some(self.file.clone()).filter(|_| !self.is_stdin());
        let (base_url, folder) = (base_url.to_owned(), folder.to_owned());
        let place = place?;
        match on_disk(move || Ledger::open(&place, &base_url, &folder, table.as_deref())).await {
            Ok(ledger) => Some(ledger),
            Err(failure) => {
                let why = failure.causes().first().map_or_else(String::new, |cause| format!(": {cause}"));
                context.output().warning(&format!(
                    "what is begun is remembered in the folder alone ({}{why}): if the folder is lost, nothing else \
                     shows what was paid",
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
    async fn rows(&self, context: &Context<'_>, model: Model) -> Result<Vec<Row>, Failure> {
        let name = if self.is_stdin() { "standard input".to_owned() } else { self.file.display().to_string() };
        let form = match self.form {
            Some(form) => form,
            None if self.is_stdin() => Form::Jsonl,
            None => Form::of(&self.file)?,
        };
        let bytes = text_input::read(&self.file, &Stdin::default(), "the file of rows", input::MAX_BYTES).await?;
        let folder = self.file.parent().filter(|_| !self.is_stdin()).unwrap_or(Path::new("")).to_owned();
        let reading = Reading { client: context.client().clone(), model, folder, unchecked: self.unchecked };
        // Images of rows are hashed: Ctrl-C is heard meanwhile.
        on_disk(move || {
            let text = text_input::decode(&bytes).map_err(|encoding| match encoding {
                Encoding::Spreadsheet(_) => input::is_spreadsheet(&name),
                encoding => Unreadable::Encoding(encoding).failure(&name),
            })?;
            let (raw, mut problems) = form.read(&text);
            let rows = match row::understand(&raw, &reading) {
                Ok(rows) if problems.is_empty() => rows,
                Ok(_) => return Err(input::refused(&name, &problems)),
                Err(more) => {
                    problems.extend(more);
                    problems.sort_by_key(|problem| problem.line);
                    return Err(input::refused(&name, &problems));
                }
            };
            if rows.is_empty() {
                return Err(Failure::usage(format!("there are no rows in {name}")));
            }
            Ok(rows)
        })
        .await
    }

    /// Asks before rows are paid again that were begun before and that the journal cannot account for.
    async fn confirm_paying_again(
        &self,
        context: &Context<'_>,
        folder: &Path,
        rows: &[Row],
        plan: &Plan,
    ) -> Result<(), Failure> {
        let here = ledger::whole_path(folder);
        let whole = units::count(plan.ask.len() as u64, "row");
        let mut failure = Failure::usage(format!("{whole} of this file may be paid already: nothing was sent"));
        let mut hints = Vec::new();
        for ((place, is_same), records) in plan.questions(rows) {
            let rows = units::count(records.len() as u64, "row");
            let time = records.iter().map(|record| record.time.as_str()).max().unwrap_or_default();
            let time = if time.is_empty() { String::new() } else { format!(", the last one at {time}") };
            let is_here = place.as_os_str().is_empty() || place == Path::new(&here);
            let (cause, hint) = match (is_here, is_same) {
                (true, true) => (
                    format!("{rows} begun in this folder{time}, and its journal does not know of it"),
                    "put the folder and its journal back as they were, and run the command again".to_owned(),
                ),
                (_, false) => (
                    format!(
                        "{rows} begun with another model or id, in \"{}\"{time}",
                        if is_here { folder } else { place }.display()
                    ),
                    "the same --model and ids as before go on with what was begun".to_owned(),
                ),
                (false, true) => (
                    format!("{rows} begun in \"{}\"{time}", place.display()),
                    format!("--out \"{}\" goes on there, if the folder still exists", place.display()),
                ),
            };
            failure = failure.cause(cause);
            hints.push(hint);
        }
        if context.says_yes() || !question::can_ask() {
            hints.push("--pay-again pays for them again".to_owned());
            return Err(hints.into_iter().fold(failure, Failure::hint));
        }
        for cause in failure.causes() {
            context.output().warning(cause);
        }
        let question = format!("{whole} of this file may be paid already: pay again?");
        context.confirm(&question, question::Default::No).await
    }

    /// Asks before many images are made.
    async fn confirm(
        &self,
        context: &Context<'_>,
        rows: &[Row],
        plan: &Plan,
        history: &History,
    ) -> Result<(), Failure> {
        let wanted: u64 = plan.send.iter().map(|index| u64::from(rows[*index].images)).sum();
        let allowed = self.max_images.map_or(u64::MAX, |most| most.saturating_sub(history.images));
        let images = wanted.min(allowed);
        if images <= MAX_WITHOUT_QUESTION {
            return Ok(());
        }
        let rows = units::count(plan.send.len() as u64, "row");
        let most = if allowed < wanted { "at most " } else { "" };
        let question = format!("make {most}{}, each of them billed, for {rows}?", units::count(images, "image"));
        context.confirm(&question, question::Default::No).await
    }

    /// Writes the contact sheet, and returns where it is.
    async fn sheet(
        &self,
        folder: &Path,
        rows: &[Row],
        statuses: &[Status],
        counts: &Counts,
    ) -> Result<PathBuf, Failure> {
        let files = statuses.iter().filter_map(|status| match status {
            Status::Finished(images) => Some(images.iter().filter_map(|image| image.file.clone())),
            _ => None,
        });
        run::make_thumbnails(folder, files.flatten().collect()).await;
        let path = folder.join(SHEET);
        let title = match self.file.file_name() {
            Some(name) if !self.is_stdin() => name.to_string_lossy().into_owned(),
            _ => folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        };
        let subtitle = sheet::subtitle(&run::now(), rows.len());
        let rows: Vec<_> = rows.iter().zip(statuses).collect();
        sheet::write(folder, &title, &subtitle, &rows, counts).map_err(|error| {
            Failure::local_io(format!("cannot write \"{}\"", path.display()))
                .because(&error)
                .hint("images and journal are complete; the same command again writes it")
        })?;
        Ok(path)
    }
}

fn name_of(model: Model) -> String {
    model.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Makes the folders, and tries whether responses, thumbnails and images can be written: before anything is paid.
async fn make_ready(folder: &Path, rows: &[Row], plan: &Plan) -> Result<(), Failure> {
    for folder in [folder.to_owned(), folder.join(RESPONSES), folder.join(THUMBNAILS)] {
        ready::check_folder(folder).await?;
    }
    let to_send = plan.send.iter().map(|index| rows[*index].name.clone());
    ready::check_stems(folder, to_send.collect()).await
}

/// On a later run: what is done already, what is not understood, and what is not as it was left.
fn say_what_is_known(context: &Context<'_>, rows: &[Row], history: &History, plan: &Plan) {
    let output = context.output();
    if history.is_torn {
        output.warning("the last line of the journal was incomplete: an earlier run was killed, or the file was cut");
    }
    if plan.unjournaled > 0 {
        let rows = units::count(plan.unjournaled as u64, "row");
        output.warning(&format!(
            "the journal does not know {rows} that were begun here: it was lost, cut or replaced; what their stored \
             responses show is used"
        ));
    }
    if plan.without_files > 0 {
        let rows = units::count(plan.without_files as u64, "row");
        output.note(&format!("images of {rows} are gone: they are fetched again, which costs nothing"));
    }
    if let Some(last) = &history.last_run {
        let known = rows.iter().filter(|row| history.end(&row.key).is_some()).count();
        let finished = plan.statuses.iter().filter(|status| matches!(status, Status::Finished(_))).count();
        output.note(&format!("going on: {finished} of {} finished before", units::count(rows.len() as u64, "row")));
        if last.rows_hash != row::hash(rows) {
            let gone = history.rows().saturating_sub(known);
            let mut text = format!("the rows are not those of {}: what was changed or added is new", last.time);
            if gone > 0 {
                let rows = units::count(gone as u64, "row");
                text.push_str(&format!(", and {rows} of the journal can be found here no more"));
            }
            output.warning(&text);
        }
    }
    for (row, status) in rows.iter().zip(&plan.statuses) {
        if matches!(status, Status::Unknown) {
            output.warning(&format!(
                "line {} ({}) was in flight when an earlier run ended: it may be paid, and is not sent again; \
                 --rerun-unknown does",
                row.line, row.name
            ));
        }
    }
}

/// Shows every request that would be sent.
async fn show(context: &Context<'_>, rows: &[Row], plan: &Plan) -> Result<(), Failure> {
    let (mut layout, mut requests) = (Layout::new(), Vec::new());
    let mut images = 0_u64;
    for index in &plan.send {
        let row = &rows[*index];
        images += u64::from(row.images);
        let count = units::count(u64::from(row.images), "image");
        layout = layout.line(format!("line {} ({}): {count}", row.line, row.name));
        // `POST address` first, then a body of JSON, or a line for each part.
        for line in row.request.to_string().lines() {
            let split = if line.starts_with('{') { None } else { line.split_once(": ").or(line.split_once(' ')) };
            let (name, value) = split.unwrap_or(("json", line));
            layout = layout.field(name.to_owned(), value);
        }
        layout = layout.field("api-key", "[key]");
        let request = dry_run::describe(&row.request)
            .await
            .map_err(|error| Failure::local_io("a request cannot be shown").because(&error))?
            .json;
        requests.push(json!({"row": row.name, "line": row.line, "images": row.images, "request": request}));
    }
    context.output().list("requests", &requests, &layout)?;
    let requests = units::count(plan.send.len() as u64, "request");
    let mut said = format!("dry run: nothing was sent; {requests} would make {}", units::count(images, "image"));
    if !plan.save.is_empty() {
        let rows = units::count(plan.save.len() as u64, "row");
        said.push_str(&format!(", and the images of {rows} would be saved from responses that are paid"));
    }
    if !plan.ask.is_empty() {
        let rows = units::count(plan.ask.len() as u64, "row");
        said.push_str(&format!("; {rows} may be paid already, and would need a yes"));
    }
    context.output().note(&said);
    Ok(())
}
