//! `batch`: what is sent, what is paid, what is kept, and how it goes on.

use std::{fs, path::Path};

use ideogram_mock::{MockServer, Scenario};
use tempfile::TempDir;

use crate::invocation::{Ran, Run, ideogram, serve, snapshot};

/// A folder with a file of rows in it.
fn folder(name: &str, rows: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), rows).unwrap();
    folder
}

fn batch(folder: &TempDir, arguments: &[&str]) -> Run {
    ideogram(["batch"].into_iter().chain(arguments.iter().copied())).in_folder(folder.path())
}

/// The prompts that the server was asked to draw, refusals included.
fn prompts(server: &MockServer) -> Vec<String> {
    let requests = server.requests();
    let sent = requests.iter().filter(|request| request.method == "POST");
    let prompt = |part: &&ideogram_mock::RecordedPart| ["prompt", "text_prompt"].contains(&part.name.as_str());
    sent.map(|request| request.parts.iter().find(prompt).unwrap().text.clone().unwrap()).collect()
}

fn pictures(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".png")).collect();
    names.sort_unstable();
    names
}

fn sheet(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("rows-pictures/contact-sheet.html")).unwrap()
}

const TWO: &str = r#"{"prompt": "a river", "id": "river"}
{"prompt": "two cats", "id": "cats", "model": "v3", "num_images": 2}
"#;

#[test]
fn a_dry_run_shows_every_request_and_leaves_nothing_behind() {
    let folder = folder("rows.jsonl", TWO);
    let server = serve(MockServer::builder());

    let ran = batch(&folder, &["rows.jsonl", "--dry-run"]).against(&server).run();

    assert!(server.requests().is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    snapshot!(ran, @"");
}

#[test]
fn a_batch_saves_its_pictures_and_running_it_again_pays_nothing() {
    let folder = folder("rows.jsonl", TWO);
    let server = serve(MockServer::builder());

    let first = batch(&folder, &["rows.jsonl", "--pictures-in-making", "1"]).against(&server).run();
    let sent = server.requests().len();
    let again = batch(&folder, &["rows.jsonl"]).against(&server).run();

    assert_eq!(prompts(&server), ["a river", "two cats"]);
    assert_eq!(server.requests().len(), sent, "nothing is asked for again, not even the pictures");
    assert_eq!(pictures(&folder.path().join("rows-pictures")), ["cats-1.png", "cats-2.png", "river.png"]);
    let mut paths: Vec<_> = first.stdout().lines().map(str::to_owned).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["cats-1.png", "cats-2.png", "river.png"].map(|name| format!("rows-pictures/{name}")));
    assert_eq!(first.stderr(), "2 rows: 3 pictures saved\ncontact sheet: rows-pictures/contact-sheet.html\n");
    snapshot!(again, @"");
}

#[test]
fn all_that_is_wrong_with_rows_is_told_before_anything_is_sent() {
    let rows = r#"{"prompt": "a", "num_images": 9, "model": "v3"}
{"prompt": "b", "id": "../b"}
nonsense
{"prompt": "c", "id": "same", "model": "v3", "aspect_ratio": "16:9", "resolution": "1024x1024"}
{"prompt": "d", "id": "Same", "num_images": 2}
{"promt": "e", "model": "v3"}
{"operation": "get_dataset", "prompt": "f"}
{"operation": "post_remix_image_v3", "prompt": "g", "image": "nowhere.png", "seed": "many"}
{"prompt": "h", "model": "V_2", "num_images": 0, "colour": "red"}
"#;
    let folder = folder("rows.jsonl", rows);
    let server = serve(MockServer::builder());

    let ran = batch(&folder, &["rows.jsonl", "--yes"]).against(&server).run();

    assert!(server.requests().is_empty());
    snapshot!(ran, @"");
}

#[test]
fn a_table_is_read_with_its_columns_and_files_beside_it() {
    let rows = "\u{feff}id,operation,prompt,image,num_images\r\n\
                one,post_remix_image_v3,\"a \"\"red\"\" lantern, lit\",sub/a.png,2\r\n";
    let folder = folder("rows.csv", rows);
    fs::create_dir(folder.path().join("sub")).unwrap();
    let server = serve(MockServer::builder());
    let elsewhere = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv").into_os_string().into_string().unwrap();

    let missing = batch(&elsewhere, &[&path, "--out", "out"]).against(&server).run();
    let mut picture = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(64, 64).write_to(&mut picture, image::ImageFormat::Png).unwrap();
    fs::write(folder.path().join("sub/a.png"), picture.into_inner()).unwrap();
    let ran = batch(&elsewhere, &[&path, "--out", "out"]).against(&server).run();

    assert_eq!(missing.code(), Some(2));
    assert!(missing.stderr().contains("rows.csv:2: column `image`: cannot read"), "{missing}");
    assert_eq!(ran.code(), Some(0), "{ran}");
    let requests = server.requests();
    assert_eq!(requests[0].path, "/v1/ideogram-v3/remix");
    let parts: Vec<_> =
        requests[0].parts.iter().map(|part| (part.name.as_str(), part.text.as_deref(), part.size)).collect();
    let size = fs::metadata(folder.path().join("sub/a.png")).unwrap().len();
    assert_eq!(
        parts,
        [("image", None, size), ("prompt", Some("a \"red\" lantern, lit"), 20), ("num_images", Some("2"), 1),]
    );
    assert_eq!(pictures(&elsewhere.path().join("out")), ["one-1.png", "one-2.png"]);
}

#[test]
fn more_than_twenty_pictures_are_asked_about_first() {
    let rows: String = (0..3).map(|n| format!("{{\"prompt\":\"{n}\",\"model\":\"v3\",\"num_images\":8}}\n")).collect();
    let folder = folder("rows.jsonl", &rows);
    let server = serve(MockServer::builder());

    let asked = batch(&folder, &["rows.jsonl"]).against(&server).run();
    assert!(server.requests().is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no trace of it");
    let limited = batch(&folder, &["rows.jsonl", "--max-pictures", "20"]).against(&server).run();
    assert_eq!(prompts(&server).len(), 2);
    let confirmed = batch(&folder, &["rows.jsonl", "--yes"]).against(&server).run();
    assert_eq!(prompts(&server).len(), 3);

    assert_eq!((limited.code(), confirmed.code()), (Some(11), Some(0)));
    assert!(limited.stderr().contains("stopped before more than 20 pictures were made"), "{limited}");
    snapshot!(asked, @"");
}

#[test]
fn the_limit_counts_earlier_runs() {
    let rows = "{\"prompt\":\"1\"}\n{\"prompt\":\"2\"}\n{\"prompt\":\"3\"}\n";
    let folder = folder("rows.jsonl", rows);
    let server = serve(MockServer::builder());

    for _ in 0..3 {
        let ran = batch(&folder, &["rows.jsonl", "--max-pictures", "2"]).against(&server).run();
        assert_eq!((ran.code(), prompts(&server).len()), (Some(11), 2));
    }
}

#[test]
fn a_balance_that_is_too_low_stops_it_and_the_next_run_goes_on() {
    let rows: String = (0..6).map(|n| format!("{{\"prompt\":\"number {n}\",\"id\":{n}}}\n")).collect();
    let folder = folder("rows.jsonl", &rows);
    let server = serve(MockServer::builder().scenario(Scenario::PaymentRequired));

    let stopped = batch(&folder, &["rows.jsonl", "--pictures-in-making", "1"]).against(&server).run();
    assert_eq!(prompts(&server).len(), 3);
    server.set_scenario(Scenario::Normal);
    let ran = batch(&folder, &["rows.jsonl"]).against(&server).run();

    assert_eq!((ran.code(), prompts(&server).len()), (Some(0), 9));
    snapshot!(stopped, @"");
}

#[test]
fn declined_rows_are_not_sent_again_unless_asked_to() {
    let folder = folder("rows.jsonl", "{\"prompt\":\"a\",\"id\":\"a\"}\n{\"prompt\":\"b\",\"id\":\"b\"}\n");
    let server = serve(MockServer::builder().scenario(Scenario::Declines));

    let declined = batch(&folder, &["rows.jsonl"]).against(&server).run();
    let again = batch(&folder, &["rows.jsonl"]).against(&server).run();
    assert_eq!((again.code(), prompts(&server).len()), (Some(6), 2));
    assert!(sheet(&folder).contains("<b>declined</b> not billed"));
    server.set_scenario(Scenario::Normal);
    let retried = batch(&folder, &["rows.jsonl", "--retry-declined"]).against(&server).run();

    assert_eq!((retried.code(), prompts(&server).len()), (Some(0), 4));
    snapshot!(declined, @"");
}

#[test]
fn withheld_pictures_are_told_and_billed_once() {
    let rows = "{\"prompt\":\"some withheld cats\",\"id\":\"cats\",\"model\":\"v3\",\"num_images\":2}\n";
    let folder = folder("rows.jsonl", rows);
    let server = serve(MockServer::builder());

    let ran = batch(&folder, &["rows.jsonl"]).against(&server).run();
    let again = batch(&folder, &["rows.jsonl"]).against(&server).run();

    assert_eq!((again.code(), prompts(&server).len()), (Some(11), 1));
    assert!(sheet(&folder).contains("<b>withheld</b>made and billed"));
    snapshot!(ran, @"");
}

#[test]
fn rows_that_are_withheld_altogether_stop_it_since_they_are_billed() {
    let rows: String = (0..6).map(|n| format!("{{\"prompt\":\"withheld\",\"id\":{n}}}\n")).collect();
    let folder = folder("rows.jsonl", &rows);
    let server = serve(MockServer::builder());

    let ran = batch(&folder, &["rows.jsonl", "--pictures-in-making", "1", "--stop-after", "2"]).against(&server).run();

    assert_eq!(ran.code(), Some(6), "{ran}");
    // One more may be under way while the second is being looked at.
    assert!((2..=3).contains(&prompts(&server).len()), "{:?}", prompts(&server));
}

#[test]
fn an_answer_that_breaks_off_is_not_paid_again_unless_asked_to() {
    let folder = folder("rows.jsonl", "{\"prompt\":\"a river\",\"id\":\"river\"}\n");
    let server = serve(MockServer::builder().scenario(Scenario::AnswerLostOnce));

    let lost = batch(&folder, &["rows.jsonl"]).against(&server).run();
    let again = batch(&folder, &["rows.jsonl"]).against(&server).run();
    assert_eq!((again.code(), prompts(&server).len()), (lost.code(), 1));
    let rerun = batch(&folder, &["rows.jsonl", "--rerun-unknown"]).against(&server).run();

    assert_eq!((rerun.code(), prompts(&server).len()), (Some(0), 2));
    snapshot!(lost, @"");
}

#[test]
fn an_answer_that_was_kept_is_saved_later_without_paying() {
    let folder = folder("rows.jsonl", TWO);
    let server = serve(MockServer::builder());
    let out = folder.path().join("rows-pictures");
    assert_eq!(batch(&folder, &["rows.jsonl"]).against(&server).run().code(), Some(0));
    // As if it had been killed before the end of both rows was noted: one picture is there, another lacks its file.
    let journal = fs::read_to_string(out.join("batch.jsonl")).unwrap();
    let begun: Vec<&str> = journal.lines().filter(|line| !line.contains("\"finished\"")).collect();
    fs::write(out.join("batch.jsonl"), begun.join("\n") + "\n{\"finished\":{\"row\":\"ha").unwrap();
    fs::remove_file(out.join("cats-2.png")).unwrap();

    let ran = batch(&folder, &["rows.jsonl"]).against(&server).run();

    assert_eq!((ran.code(), prompts(&server).len()), (Some(0), 2), "{ran}");
    assert_eq!(pictures(&out), ["cats-1.png", "cats-2.png", "river.png"]);
}

#[test]
fn a_row_that_was_changed_is_a_new_one() {
    let folder = folder("rows.jsonl", TWO);
    let server = serve(MockServer::builder());
    batch(&folder, &["rows.jsonl"]).against(&server).run();
    fs::write(folder.path().join("rows.jsonl"), TWO.replace("a river", "a wide river")).unwrap();

    let ran = batch(&folder, &["rows.jsonl"]).against(&server).run();

    assert_eq!(prompts(&server).len(), 3);
    let out = folder.path().join("rows-pictures");
    assert_eq!(pictures(&out), ["cats-1.png", "cats-2.png", "river-2.png", "river.png"]);
    assert_eq!(ran.code(), Some(0));
    assert!(ran.stderr().contains("what was changed or added is new, and 1 row of the journal"), "{ran}");
}

#[test]
fn the_same_row_twice_is_wanted_twice() {
    let folder = folder("rows.jsonl", "{\"prompt\":\"a river\"}\n{\"prompt\":\"a river\"}\n");
    let server = serve(MockServer::builder());

    for _ in 0..2 {
        let ran = batch(&folder, &["rows.jsonl"]).against(&server).run();
        assert_eq!((ran.code(), prompts(&server).len()), (Some(0), 2));
    }
    assert_eq!(pictures(&folder.path().join("rows-pictures")).len(), 2);
}

#[test]
fn a_journal_in_use_is_left_alone() {
    let folder = folder("rows.jsonl", TWO);
    let server = serve(MockServer::builder());
    let out = folder.path().join("rows-pictures");
    fs::create_dir(&out).unwrap();
    let journal = fs::File::create(out.join("batch.jsonl")).unwrap();
    fs4::FileExt::try_lock(&journal).unwrap();

    let ran = batch(&folder, &["rows.jsonl"]).against(&server).run();

    assert!(server.requests().is_empty());
    snapshot!(ran, @"");
}

#[test]
fn rows_come_one_by_one_as_json_lines_and_all_together_as_json() {
    let folder = folder("rows.jsonl", TWO);
    let server = serve(MockServer::builder());
    let run = |out: &str, format: &str| -> Ran {
        let arguments = ["rows.jsonl", "--out", out, "--output", format, "--quiet", "--pictures-in-making", "1"];
        batch(&folder, &arguments).against(&server).run()
    };

    let lines = run("lines", "jsonl");
    let whole = run("whole", "json");

    let rows: Vec<serde_json::Value> = lines.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Each as it is done, so in no order.
    let mut named: Vec<_> = rows.iter().map(|row| (row["row"].as_str(), row["status"].as_str())).collect();
    named.sort_unstable();
    assert_eq!(named, [(Some("cats"), Some("saved")), (Some("river"), Some("saved"))]);
    let mut whole = whole.json();
    whole["rows"].as_array_mut().unwrap().sort_by_key(|row| row["line"].as_u64());
    insta::assert_json_snapshot!(whole, @"");
}

#[test]
fn rows_from_standard_input_need_a_folder() {
    let folder = folder("rows.jsonl", "");

    snapshot!(batch(&folder, &["--mock", "-"]).run(), @"");
}

#[test]
fn an_account_that_is_refused_stops_it_at_once() {
    let rows: String = (0..6).map(|n| format!("{{\"prompt\":\"{n}\",\"id\":{n}}}\n")).collect();
    let folder = folder("rows.jsonl", &rows);
    let server = serve(MockServer::builder());

    let ran = batch(&folder, &["rows.jsonl", "--pictures-in-making", "1"]).at(server.url()).run();

    assert_eq!((ran.code(), server.requests().len()), (Some(3), 1), "{ran}");
}
