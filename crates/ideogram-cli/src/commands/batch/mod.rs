//! `ideogram batch`: a file of prompts to a folder of pictures, each prompt paid at most once.
//!
//! [`input`] reads the file, [`row`] understands its rows, [`journal`] remembers across runs what was sent and what came
//! of it, [`run`] sends and saves, [`pictures`] saves the pictures of one answer, [`report`] says what became of it all,
//! [`sheet`] shows it as a page. The folder holds pictures, each with a JSON file beside it; `batch.jsonl`, the journal;
//! `answers/`, what the service answered, as it came; `thumbnails/`; and `contact-sheet.html`.

mod input;
mod journal;
mod pictures;
mod report;
mod row;
mod run;
mod sheet;
mod thumbnail;

use std::{
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Map, json};

use self::{
    input::{Form, Problem},
    journal::{End, Fate, Journal, Line, Past, PictureResult, Run},
    report::Counts,
    row::{Model, Reading, Row},
    run::{Queue, Work},
    sheet::Status,
};
use crate::{context::Context, dry_run, failure::Failure, page::Page, pictures::saving::out_folder, question, units};

const JOURNAL: &str = "batch.jsonl";
const ANSWERS: &str = "answers";
const THUMBNAILS: &str = "thumbnails";
const SHEET: &str = "contact-sheet.html";

/// More pictures than this are asked about first.
const MOST_UNASKED: u64 = 20;

/// Make pictures for a file of prompts, paying for each prompt at most once
///
/// FILE holds a row for each call: JSON lines, or a CSV table with a header. A row has a `prompt`, and any other member
/// of the request under the name it has on the wire, such as `num_images` or `aspect_ratio`. `model` (v4, v3, legacy) or
/// `operation` (an id of `ideogram operations`) choose what is called, `id` names the files of a row. Members that are
/// files hold paths, which begin at the folder of FILE. All rows are checked before any is sent.
///
/// The folder keeps a journal. The same command again goes on where it stopped, and pays for no finished row twice. Rows
/// are known by their content: a changed row is a new one. Rows that were under way when the command was killed are
/// listed, and sent again only with --rerun-unknown, since they may be paid. The folder also keeps every answer as it
/// came, and contact-sheet.html, a page of all results.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram batch prompts.jsonl --dry-run
  ideogram batch prompts.csv --model v3 --out lanterns --max-pictures 100
  ideogram batch prompts.jsonl                  again: goes on where it stopped

A file of rows:
  {\"prompt\": \"a paper lantern\", \"id\": \"lantern\"}
  {\"prompt\": \"a river at night\", \"model\": \"v3\", \"num_images\": 4, \"aspect_ratio\": \"16x9\"}")]
pub(crate) struct Batch {
    /// The rows: .jsonl or .csv; - reads them from standard input, and needs --out
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The folder for pictures and journal [default: the name of FILE with -pictures, here]
    #[arg(long, value_name = "DIR", value_parser = out_folder())]
    out: Option<PathBuf>,

    /// How the rows are written [default: by the extension; JSON lines from standard input]
    #[arg(long, value_name = "FORM", value_enum)]
    form: Option<Form>,

    /// What rows that do not say are made with
    #[arg(long, value_enum, default_value = "v4")]
    model: Model,

    /// Stop before more pictures than this are asked for, those of earlier runs included
    #[arg(long, value_name = "NUMBER")]
    max_pictures: Option<u64>,

    /// How many pictures may be in the making at a time; the service allows 10 unless agreed otherwise
    #[arg(long, value_name = "NUMBER", default_value = "10", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pictures_in_making: u32,

    /// Stop after so many rows in a row were refused for the same reason, such as balance, rate or safety; 0 never
    #[arg(long, value_name = "NUMBER", default_value = "3")]
    stop_after: u32,

    /// Send rows of unknown outcome again, though they may be paid already
    #[arg(long)]
    rerun_unknown: bool,

    /// Send rows again that were declined for what they ask
    #[arg(long)]
    retry_declined: bool,

    /// Leave values and members that the API's document does not know to the service
    #[arg(long)]
    unchecked: bool,
}

impl Batch {
    pub(crate) fn pictures_in_making(&self) -> u32 {
        self.pictures_in_making
    }

    pub(crate) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let output = context.output();
        let folder = self.folder()?;
        let rows = self.rows(context)?;
        // The address of a mock server inside the command is another one each time.
        let is_mock = context.remark_on_changes().is_some();
        let base_url = if is_mock { "mock" } else { context.client().base_url().as_str() };
        let path = folder.join(JOURNAL);
        if context.is_dry_run() {
            let past = Journal::look(&path, base_url)?;
            let (queue, _) = self.plan(&rows, &past, &folder).await?;
            return show(context, &rows, &queue).await;
        }
        // Looked at first: a question that is answered with no leaves no trace.
        let past = Journal::look(&path, base_url)?;
        let (queue, _) = self.plan(&rows, &past, &folder).await?;
        self.confirm(context, &rows, &queue, &past).await?;

        let what = || format!("cannot make the folder \"{}\"", folder.display());
        fs::create_dir_all(&folder).map_err(|error| Failure::local_io(what()).because(&error))?;
        let (journal, past) = Journal::open(path, base_url)?;
        let (queue, mut statuses) = self.plan(&rows, &past, &folder).await?;
        say_what_changed(context, &rows, &past, &statuses);
        let run = Run { time: run::now(), rows: rows.len(), rows_hash: row::hash(&rows) };
        journal.write(&Line::Run(run)).await?;

        let work = Work {
            context,
            journal,
            folder: &folder,
            rows: &rows,
            places: self.pictures_in_making,
            most_pictures: self.max_pictures,
            patience: self.stop_after,
        };
        let mut pieces = output.pieces("rows");
        let stop = work.run(queue, past.pictures, &mut statuses, &mut pieces).await?;

        let (counts, sheet) = self.sheet(&folder, &rows, &statuses).await?;
        pieces.finish(Map::from_iter([
            ("counts".to_owned(), counts.to_json()),
            ("contact_sheet".to_owned(), json!(sheet.display().to_string())),
        ]))?;
        if stop.is_none() && counts.is_complete() {
            output.note(&counts.line());
        }
        output.note(&format!("contact sheet: {}", sheet.display()));
        if let Some(remark) = context.remark_on_changes() {
            output.note(remark);
        }
        report::verdict(&rows.iter().zip(&statuses).collect::<Vec<_>>(), &counts, stop)
    }

    /// Where pictures and journal go.
    fn folder(&self) -> Result<PathBuf, Failure> {
        if let Some(out) = &self.out {
            return Ok(out.clone());
        }
        let stem = self.file.file_stem().filter(|_| !self.is_stdin());
        stem.map(|stem| PathBuf::from(format!("{}-pictures", stem.to_string_lossy()))).ok_or_else(|| {
            Failure::usage("rows from standard input need --out: the folder with the journal, to find it again")
        })
    }

    fn is_stdin(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    /// Reads and checks all rows.
    fn rows(&self, context: &Context<'_>) -> Result<Vec<Row>, Failure> {
        let name = if self.is_stdin() { "standard input".to_owned() } else { self.file.display().to_string() };
        let form = self.form.or_else(|| if self.is_stdin() { Some(Form::Jsonl) } else { Form::of(&self.file) });
        let form = form.ok_or_else(|| {
            Failure::usage(format!("cannot tell how {name} is written: it ends in neither .jsonl nor .csv"))
                .hint("--form jsonl or --form csv says it")
        })?;
        let mut bytes = Vec::new();
        let read = if self.is_stdin() {
            io::stdin().lock().read_to_end(&mut bytes).map(drop)
        } else {
            fs::read(&self.file).map(|read| bytes = read)
        };
        read.map_err(|error| Failure::local_io(format!("cannot read {name}")).because(&error))?;

        let (raw, mut problems) = form.read(&bytes);
        let folder = self.file.parent().filter(|_| !self.is_stdin()).unwrap_or(Path::new(""));
        let reading = Reading { client: context.client(), model: self.model, folder, unchecked: self.unchecked };
        let rows = match row::understand(&raw, reading) {
            Ok(rows) if problems.is_empty() => rows,
            Ok(_) => return Err(input::refused(&name, &problems)),
            Err(more) => {
                problems.extend(more);
                problems.sort_by_key(Problem::line);
                return Err(input::refused(&name, &problems));
            }
        };
        if rows.is_empty() {
            return Err(Failure::usage(format!("there are no rows in {name}")));
        }
        Ok(rows)
    }

    /// What is to be done with every row, and what is known of it already.
    async fn plan(&self, rows: &[Row], past: &Past, folder: &Path) -> Result<(Queue, Vec<Status>), Failure> {
        let (mut queue, mut statuses) = (Queue::default(), Vec::with_capacity(rows.len()));
        for (index, row) in rows.iter().enumerate() {
            let status = match past.rows.get(&row.key) {
                None => {
                    queue.send.push_back(index);
                    Status::NotRun
                }
                Some((_, End::Finished(finished))) => {
                    if finished.pictures.iter().any(|picture| picture.result == PictureResult::NotSaved) {
                        queue.save.push_back((index, folder.join(&finished.kept)));
                    }
                    Status::Finished(finished.pictures.clone())
                }
                Some((begun, end)) => {
                    // Killed between the answer and the note of it: the answer tells.
                    if let Some((kept, answer)) = pictures::kept_in(&folder.join(ANSWERS).join(&row.key)).await?
                        && answer.answer().is_some()
                    {
                        queue.save.push_back((index, kept));
                        statuses.push(Status::NotRun);
                        continue;
                    }
                    let is_sent_again = match end {
                        End::Failed(failed) => match failed.fate {
                            Fate::NotRun => true,
                            Fate::Declined => self.retry_declined,
                            Fate::Unknown | Fate::Unreadable => self.rerun_unknown,
                        },
                        _ => self.rerun_unknown,
                    };
                    if is_sent_again {
                        queue.send.push_back(index);
                    }
                    match end {
                        End::Failed(failed) if !is_sent_again => Status::Failed(failed.clone()),
                        _ if is_sent_again => Status::NotRun,
                        _ => {
                            debug_assert_eq!(begun.row, row.key);
                            Status::Unknown
                        }
                    }
                }
            };
            statuses.push(status);
        }
        Ok((queue, statuses))
    }

    /// Asks before many pictures are made.
    async fn confirm(&self, context: &Context<'_>, rows: &[Row], queue: &Queue, past: &Past) -> Result<(), Failure> {
        let wanted: u64 = queue.send.iter().map(|index| u64::from(rows[*index].pictures)).sum();
        let allowed = self.max_pictures.map_or(u64::MAX, |most| most.saturating_sub(past.pictures));
        let pictures = wanted.min(allowed);
        if pictures <= MOST_UNASKED {
            return Ok(());
        }
        let rows = units::count(queue.send.len() as u64, "row");
        let most = if allowed < wanted { "at most " } else { "" };
        let question = format!("make {most}{}, each of them billed, for {rows}?", units::count(pictures, "picture"));
        context.confirm(&question, question::Default::No).await
    }

    /// Writes the contact sheet, and counts.
    async fn sheet(&self, folder: &Path, rows: &[Row], statuses: &[Status]) -> Result<(Counts, PathBuf), Failure> {
        let counts = Counts::of(statuses);
        let files = statuses.iter().filter_map(|status| match status {
            Status::Finished(pictures) => Some(pictures.iter().filter_map(|picture| picture.file.clone())),
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
        sheet::write(folder, &title, &subtitle, &rows, &counts).map_err(|error| {
            Failure::local_io(format!("cannot write \"{}\"", path.display()))
                .because(&error)
                .hint("pictures and journal are complete; the same command again writes it")
        })?;
        Ok((counts, path))
    }
}

/// On a later run: what is done already, what is not understood, and whether the file is still the same.
fn say_what_changed(context: &Context<'_>, rows: &[Row], past: &Past, statuses: &[Status]) {
    let Some(last) = &past.last_run else { return };
    let output = context.output();
    let known = rows.iter().filter(|row| past.rows.contains_key(&row.key)).count();
    let done = statuses.iter().filter(|status| matches!(status, Status::Finished(_))).count();
    output.note(&format!("going on: {done} of {} finished before", units::count(rows.len() as u64, "row")));
    if last.rows_hash != row::hash(rows) {
        let gone = past.rows.len() - known;
        let mut text = format!("the rows are not those of {}: what was changed or added is new", last.time);
        if gone > 0 {
            let rows = units::count(gone as u64, "row");
            text.push_str(&format!(", and {rows} of the journal can be found here no more"));
        }
        output.warning(&text);
    }
    for (row, status) in rows.iter().zip(statuses) {
        if matches!(status, Status::Unknown) {
            output.warning(&format!(
                "line {} ({}) was under way when an earlier run ended: it may be paid, and is not sent again; \
                 --rerun-unknown does",
                row.line, row.name
            ));
        }
    }
}

/// Shows every request that would be sent.
async fn show(context: &Context<'_>, rows: &[Row], queue: &Queue) -> Result<(), Failure> {
    let (mut page, mut requests) = (Page::new(), Vec::new());
    let mut pictures = 0_u64;
    for index in &queue.send {
        let row = &rows[*index];
        pictures += u64::from(row.pictures);
        let count = units::count(u64::from(row.pictures), "picture");
        page = page.line(format!("line {} ({}): {count}", row.line, row.name));
        // `POST address` first, then a body of JSON, or a line for each part.
        for line in row.request.to_string().lines() {
            let split = if line.starts_with('{') { None } else { line.split_once(": ").or(line.split_once(' ')) };
            let (name, value) = split.unwrap_or(("json", line));
            page = page.field(name.to_owned(), value);
        }
        page = page.field("api-key", "[key]");
        let request = dry_run::describe(&row.request)
            .await
            .map_err(|error| Failure::local_io("a request cannot be shown").because(&error))?
            .json;
        requests.push(json!({"row": row.name, "line": row.line, "pictures": row.pictures, "request": request}));
    }
    context.output().list("requests", &requests, &page)?;
    let requests = units::count(queue.send.len() as u64, "request");
    let mut said = format!("dry run: nothing was sent; {requests} would make {}", units::count(pictures, "picture"));
    if !queue.save.is_empty() {
        let rows = units::count(queue.save.len() as u64, "row");
        said.push_str(&format!(", and the pictures of {rows} would be saved from answers that are paid"));
    }
    context.output().note(&said);
    Ok(())
}
