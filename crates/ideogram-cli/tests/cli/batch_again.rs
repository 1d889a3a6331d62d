//! `batch` that is run again: with what it was begun, from what is on disk, and never paying twice without a question.

use std::{
    fs,
    path::Path,
    process::{Child, Stdio},
};

use ideogram_mock::MockServer;
use ideogram_testkit::{Reply, response};
use tempfile::TempDir;

use crate::{
    invocation::{Ran, Run, ideogram, serve, snapshot},
    rogue::Rogue,
};

struct Scene {
    folder: TempDir,
    server: MockServer,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("rows.jsonl"),
            "{\"prompt\":\"a river\",\"id\":\"river\"}\n{\"prompt\":\"two cats\",\"id\":\"cats\"}\n",
        )
        .unwrap();
        Self { folder, server: serve(MockServer::builder()) }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_in(self.folder.path(), "rows.jsonl", arguments)
    }

    fn run_in(&self, folder: &Path, table: &str, arguments: &[&str]) -> Ran {
        self.command(folder, table, arguments).run()
    }

    fn command(&self, folder: &Path, table: &str, arguments: &[&str]) -> Run {
        let run = ideogram(["batch", table].into_iter().chain(arguments.iter().copied())).in_folder(folder);
        run.env("XDG_STATE_HOME", self.path("state").to_str().unwrap()).against(&self.server)
    }

    /// Starts a batch, and does not wait for it.
    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(self.folder.path(), "rows.jsonl", arguments).into_command();
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn calls(&self) -> usize {
        self.server.requests().iter().filter(|request| request.method == "POST").count()
    }

    fn images(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut images: Vec<_> =
            names.filter(|name| Path::new(name).extension().is_some_and(|it| it == "png")).collect();
        images.sort_unstable();
        images
    }
}

#[test]
fn a_later_run_continues_with_the_folder_and_model_of_the_first() {
    let scene = Scene::new();
    assert_eq!(scene.run(&["--out", "lanterns", "--model", "v3"]).code(), Some(0));
    assert_eq!(scene.calls(), 2);

    let bare = scene.run(&["--yes"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let table = scene.path("rows.jsonl");
    let from_elsewhere = scene.run_in(elsewhere.path(), table.to_str().unwrap(), &["--yes"]);

    assert_eq!((bare.code(), from_elsewhere.code(), scene.calls()), (Some(0), Some(0), 2), "{bare}\n{from_elsewhere}");
    let shown = bare.stderr().replace(fs::canonicalize(scene.folder.path()).unwrap().to_str().unwrap(), "[FOLDER]");
    insta::assert_snapshot!(shown, @r#"
    continuing in "[FOLDER]/lanterns", where this file was sent before
    continuing with --model v3, as in an earlier run
    continuing: 2 of 2 rows are finished
    2 rows: 2 images saved
    contact sheet: [FOLDER]/lanterns/contact-sheet.html
    "#);
    assert!(!scene.path("rows-images").exists());
}

#[test]
fn another_folder_or_model_for_the_same_rows_needs_pay_again() {
    let scene = Scene::new();
    assert_eq!(scene.run(&["--out", "out"]).code(), Some(0));
    // The same table under another name, and one more row that is free to be sent.
    fs::copy(scene.path("rows.jsonl"), scene.path("copy.jsonl")).unwrap();
    let home = fs::canonicalize(scene.folder.path()).unwrap();
    let shown = |ran: &Ran| {
        let time = regex_free(&ran.stderr());
        time.replace(home.to_str().unwrap(), "[FOLDER]")
    };

    for arguments in [&["--out", "other", "--yes"][..], &["--out", "other"]] {
        let ran = scene.run(arguments);
        assert_eq!((ran.code(), scene.calls()), (Some(2), 2), "{ran}");
        assert!(!scene.path("other").exists(), "no trace of it");
        insta::allow_duplicates! {
            insta::assert_snapshot!(shown(&ran), @r#"
            error: 2 rows of this file may be paid already: nothing was sent
              2 rows sent from "[FOLDER]/out", the last at [TIME]
            hint: if that folder still exists, continue there with --out "[FOLDER]/out"
            hint: to pay for them again, use --pay-again
            "#);
        }
    }
    let renamed = scene.run_in(scene.folder.path(), "copy.jsonl", &["--yes"]);
    let model = scene.run(&["--out", "out", "--model", "v3", "--yes"]);
    assert_eq!((renamed.code(), model.code(), scene.calls()), (Some(2), Some(2), 2), "{renamed}\n{model}");
    assert!(shown(&model).contains("2 rows sent with another model, from \"out\""), "{model}");

    let again = scene.run(&["--out", "other", "--yes", "--pay-again"]);
    let and_again = scene.run(&["--out", "other", "--yes"]);
    assert_eq!((again.code(), and_again.code(), scene.calls()), (Some(0), Some(0), 4), "{again}\n{and_again}");
    let third = scene.run(&["--model", "v3", "--out", "out", "--pay-again"]);
    assert_eq!((third.code(), scene.calls()), (Some(0), 6), "{third}");
}

#[test]
fn a_row_that_a_running_batch_is_going_to_send_is_not_sent_by_another_one() {
    let (scene, rogue) = (Scene::new(), Rogue::silent());
    let batch = |table, out| {
        let batch = scene.command(scene.folder.path(), table, &["--out", out, "--max-in-flight", "1", "--yes"]);
        batch.at(rogue.url())
    };
    let mut first = batch("rows.jsonl", "out").into_command().spawn().unwrap();
    rogue.wait_for_connection();
    // Only the row that the first batch has not sent yet.
    fs::write(scene.path("cats.jsonl"), "{\"prompt\":\"two cats\",\"id\":\"cats\"}\n").unwrap();

    let second = batch("cats.jsonl", "other").run();

    first.kill().unwrap();
    first.wait().unwrap();
    let home = fs::canonicalize(scene.folder.path()).unwrap();
    insta::assert_snapshot!(second.stderr().replace(home.to_str().unwrap(), "[FOLDER]"), @r#"
    error: 1 row of this file is also in a batch that is running: nothing was sent
      1 row to be sent from "[FOLDER]/out"
    hint: wait for that batch to end
    hint: to pay for them again, use --pay-again
    "#);
    assert_eq!(second.code(), Some(2));
}

#[test]
fn of_batches_that_begin_at_the_same_time_at_most_one_sends_a_row() {
    for _ in 0..5 {
        let scene = Scene::new();

        let batches: Vec<_> = ["a", "b", "c"].map(|out| scene.start(&["--out", out])).into_iter().collect();
        let succeeded =
            batches.into_iter().filter_map(|mut batch| batch.wait().unwrap().success().then_some(())).count();

        assert!(scene.calls() == 2 * succeeded && succeeded <= 1, "{succeeded} batches, {} calls", scene.calls());
        let left = fs::read_dir(scene.path("state/ideogram/batches")).unwrap();
        let claims = left.filter(|entry| entry.as_ref().unwrap().path().extension().is_none_or(|it| it != "jsonl"));
        assert_eq!(claims.count(), 0, "claims are removed");
    }
}

#[test]
fn the_claim_of_a_batch_that_was_killed_counts_for_nothing() {
    let scene = Scene::new();
    assert_eq!(scene.run(&["--out", "out"]).code(), Some(0));
    let ledgers = scene.path("state/ideogram/batches");
    let ledger = fs::read_dir(&ledgers).unwrap().next().unwrap().unwrap().path();
    fs::write(ledger.with_extension("claim"), "cut off").unwrap();
    fs::write(scene.path("new.jsonl"), "{\"prompt\":\"a boat\"}\n").unwrap();

    let ran = scene.run_in(scene.folder.path(), "new.jsonl", &["--out", "other"]);

    assert_eq!((ran.code(), scene.calls()), (Some(0), 3), "{ran}");
}

/// Times of day as a placeholder.
fn regex_free(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let is_time = word.len() > 19 && word.as_bytes()[10] == b'T' && word.starts_with("20");
        let rest = word.find('\n').map_or("", |end| &word[end..]);
        if is_time { format!("[TIME]{rest}") } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn rows_that_were_not_billed_elsewhere_are_sent_without_a_question() {
    let scene = Scene::new();
    scene.server.set_scenario(ideogram_mock::Scenario::PaymentRequired);
    assert_ne!(scene.run(&["--out", "out"]).code(), Some(0));
    scene.server.set_scenario(ideogram_mock::Scenario::Normal);
    fs::remove_dir_all(scene.path("out")).unwrap();

    assert_eq!(scene.run(&["--out", "other"]).code(), Some(0));
}

#[test]
fn rows_that_were_not_billed_here_are_sent_without_a_question() {
    let scene = Scene::new();
    scene.server.set_scenario(ideogram_mock::Scenario::PaymentRequired);
    assert_ne!(scene.run(&["--out", "out"]).code(), Some(0));
    scene.server.set_scenario(ideogram_mock::Scenario::Normal);

    assert_eq!(scene.run(&["--out", "out", "--model", "v3", "--yes"]).code(), Some(0));
}

#[test]
fn a_row_that_is_written_in_another_way_is_not_paid_again_from_another_folder() {
    let scene = Scene::new();
    let palette = r#"{"name": "ember"}"#;
    fs::write(scene.path("cells.csv"), format!("prompt,color_palette\na fox,\"{}\"\n", palette.replace('"', "\"\"")))
        .unwrap();
    let rows = [
        r#"{"prompt": "a fox", "color_palette": {"name":"ember"}}"#,
        r#"{"prompt": "a fox", "color_palette": "{\"name\" : \"ember\"}"}"#,
        r#"{"prompt": "a fox", "color_palette": {"name":"jungle"}}"#,
    ];
    let run =
        |table: &str, out: &str| scene.run_in(scene.folder.path(), table, &["--out", out, "--model", "v3", "--yes"]);
    let first = run("cells.csv", "first");
    assert_eq!(first.code(), Some(0), "{first}");
    for (index, (row, exit)) in rows.into_iter().zip([2, 2, 0]).enumerate() {
        fs::write(scene.path("other.jsonl"), row).unwrap();
        let ran = run("other.jsonl", &format!("second-{index}"));
        assert_eq!(ran.code(), Some(exit), "{row}: {ran}");
        assert_eq!(ran.stderr().contains("may be paid already"), exit == 2, "{row}: {ran}");
    }
    assert_eq!(scene.calls(), 2);
}

#[test]
fn a_generation_that_runs_on_counts_for_the_limit_after_its_journal_is_lost() {
    let slow = MockServer::builder().job_time(std::time::Duration::from_secs(60));
    let scene = Scene { server: serve(slow), ..Scene::new() };
    let late = scene.run(&["--out", "out", "--timeout", "1", "--max-images", "1", "--max-in-flight", "1"]);
    assert!(late.stderr().contains("runs on"), "{late}");
    assert_eq!(scene.calls(), 1, "{late}");
    fs::remove_file(scene.path("out/batch.jsonl")).unwrap();
    scene.server.advance(std::time::Duration::from_secs(60));

    let next = scene.run(&["--out", "out", "--max-images", "1", "--yes"]);

    assert_eq!((scene.calls(), scene.images("out").len()), (1, 1), "{next}");
    assert!(next.stderr().contains("--max-images"), "{next}");
}

#[test]
fn a_response_that_is_not_the_services_does_not_end_the_wait_for_a_generation() {
    let gateway = b"<html>Please log in to this network</html>".to_vec();
    for poll in [response(200, "", gateway), response(401, "", "{}"), response(403, "", "{}")] {
        let server = ideogram_testkit::Server::start(move |_, request| {
            let is_post = request.line().starts_with("POST ");
            Reply::Bytes(if is_post { response(200, "", r#"{"generation_id":"g1"}"#) } else { poll.clone() })
        });
        let scene = Scene::new();
        fs::write(scene.path("rows.jsonl"), r#"{"prompt":"a river"}"#).unwrap();
        let run =
            |arguments: &[&str]| scene.command(scene.folder.path(), "rows.jsonl", arguments).at(server.url()).run();

        for arguments in [&["--timeout", "20"][..], &["--timeout", "20", "--rerun-unknown", "--yes"]] {
            let ran = run(arguments);
            assert!(ran.stderr().contains("the generation g1 runs on"), "{ran}");
        }
        let posts = server.requests().iter().filter(|request| request.line().starts_with("POST ")).count();
        assert_eq!(posts, 1, "it is not paid again");
    }
}

#[test]
fn a_later_run_prints_all_rows_as_json() {
    let scene = Scene::new();
    assert_eq!(scene.run(&[]).code(), Some(0));

    let again = scene.run(&["--output", "json"]).json();

    let rows: Vec<_> = again["rows"].as_array().unwrap().iter().map(|row| (&row["row"], &row["status"])).collect();
    assert_eq!(rows, [(&"river".into(), &"saved".into()), (&"cats".into(), &"saved".into())]);
}

#[test]
fn a_new_row_with_the_prompt_of_another_is_sent_without_a_question() {
    let scene = Scene::new();
    assert_eq!(scene.run(&[]).code(), Some(0));
    let rows = fs::read_to_string(scene.path("rows.jsonl")).unwrap();
    fs::write(scene.path("rows.jsonl"), rows + "{\"prompt\":\"a river\",\"id\":\"another river\"}\n").unwrap();

    let ran = scene.run(&["--yes"]);

    assert_eq!((ran.code(), scene.calls()), (Some(0), 3), "{ran}");
}

#[test]
fn without_a_journal_the_stored_responses_are_used() {
    for remove_ledger in [false, true] {
        let scene = Scene::new();
        assert_eq!(scene.run(&[]).code(), Some(0));
        fs::remove_file(scene.path("rows-images/batch.jsonl")).unwrap();
        fs::remove_file(scene.path("rows-images/cats.png")).unwrap();
        if remove_ledger {
            fs::remove_dir_all(scene.path("state")).unwrap();
        }

        let ran = scene.run(&["--yes"]);
        let again = scene.run(&["--yes"]);

        assert_eq!((ran.code(), again.code(), scene.calls()), (Some(0), Some(0), 2), "{ran}\n{again}");
        assert!(ran.stderr().contains("the journal does not know 2 rows that were sent from here"), "{ran}");
        assert_eq!(scene.images("rows-images"), ["cats.png", "river.png"]);
        assert!(
            again.stderr().starts_with("continuing: 2 of 2 rows are finished\n2 rows: 2 images saved\n"),
            "{again}"
        );
    }
}

#[test]
fn without_journal_and_responses_paying_again_needs_a_yes() {
    let scene = Scene::new();
    assert_eq!(scene.run(&[]).code(), Some(0));
    fs::remove_dir_all(scene.path("rows-images")).unwrap();

    let ran = scene.run(&["--yes"]);

    assert_eq!((ran.code(), scene.calls()), (Some(2), 2), "{ran}");
    let stderr = ran.stderr();
    assert!(stderr.contains("2 rows sent from this folder"), "{ran}");
    assert!(stderr.contains("hint: restore the folder with its journal"), "{ran}");
    assert!(!scene.path("rows-images").exists(), "no trace of it");
}

#[test]
fn damage_to_the_journal_is_named_by_its_line() {
    let scene = Scene::new();
    assert_eq!(scene.run(&[]).code(), Some(0));
    let journal = scene.path("rows-images/batch.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    fs::write(&journal, [&lines[..2], &lines[3..]].concat().concat()).unwrap();

    let ran = scene.run(&["--yes"]);

    assert_eq!(scene.calls(), 2);
    snapshot!(ran, @r#"
    exit code: 2
    ----- stderr -----
    error: the journal "rows-images/batch.jsonl" is damaged in line 3: it was changed, or lines before it were changed, removed, repeated or reordered
    hint: nothing was sent; restore a complete copy, or move the journal away: then the stored responses show which rows were sent
    "#);
    fs::remove_file(journal).unwrap();
    let ran = scene.run(&["--yes"]);
    assert_eq!((ran.code(), scene.calls()), (Some(0), 2), "{ran}");
}

#[test]
fn missing_images_are_fetched_again_and_not_reported_as_saved() {
    let scene = Scene::new();
    assert_eq!(scene.run(&[]).code(), Some(0));
    fs::remove_file(scene.path("rows-images/cats.png")).unwrap();
    // As a disk leaves it that was full.
    fs::write(scene.path("rows-images/river.png"), "").unwrap();
    fs::remove_file(scene.path("rows-images/river.png")).unwrap();

    let ran = scene.run(&[]);

    assert_eq!(scene.images("rows-images"), ["cats.png", "river.png"]);
    assert_eq!((ran.code(), scene.calls()), (Some(0), 2), "{ran}");
    assert!(ran.stderr().contains("images of 2 rows are missing: they are fetched again, which is free"), "{ran}");

    // Neither image nor response: said so, and not paid again.
    fs::remove_file(scene.path("rows-images/cats.png")).unwrap();
    fs::remove_dir_all(scene.path("rows-images/responses")).unwrap();
    let ran = scene.run(&["--yes"]);
    assert_eq!((ran.code(), scene.calls()), (Some(11), 2), "{ran}");
    let lost = "1 image lost: cats.png is missing, and no stored response has its link";
    assert!(ran.stderr().contains(lost), "{ran}");
}

#[test]
fn images_are_saved_from_a_response_that_only_the_journal_has() {
    let scene = Scene::new();
    // Its folder turns into a file between the acceptance of its job and its images.
    scene.server.set_scenario(ideogram_mock::Scenario::Normal);
    let server = serve(MockServer::builder().generation_time(std::time::Duration::from_millis(1500)));
    let scene = Scene { server, ..scene };
    let child = {
        let run = ideogram(["batch", "rows.jsonl", "--out", "out"]).in_folder(scene.folder.path());
        let run = run.env("XDG_STATE_HOME", scene.path("state").to_str().unwrap()).against(&scene.server);
        run.into_command().stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let responses = scene.path("out/responses");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let accepted = || {
        let rows = fs::read_dir(&responses).into_iter().flatten().flatten();
        let files = rows.flat_map(|row| fs::read_dir(row.path()).into_iter().flatten().flatten());
        files.filter(|file| file.path().extension().is_some_and(|it| it == "json")).count()
    };
    while accepted() < 2 {
        assert!(std::time::Instant::now() < deadline, "no row was sent");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    fs::remove_dir_all(&responses).unwrap();
    fs::write(&responses, "").unwrap();
    let first = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(first.code(), Some(13), "{first}");
    assert!(first.stderr().contains("could not be stored; the journal has it: {"), "{first}");

    fs::remove_file(&responses).unwrap();
    let ran = scene.run(&["--out", "out"]);

    assert_eq!((ran.code(), scene.calls()), (Some(0), 2), "{ran}");
    assert_eq!(scene.images("out"), ["cats.png", "river.png"]);
    // And once more, when images are gone.
    fs::remove_file(scene.path("out/cats.png")).unwrap();
    let ran = scene.run(&["--out", "out"]);
    assert_eq!((ran.code(), scene.calls(), scene.images("out").len()), (Some(0), 2, 2), "{ran}");
}

#[test]
fn no_row_is_sent_if_a_folder_cannot_be_written() {
    for name in ["responses", "thumbnails"] {
        let scene = Scene::new();
        fs::create_dir(scene.path("out")).unwrap();
        fs::write(scene.path("out").join(name), "").unwrap();

        let ran = scene.run(&["--out", "out"]);

        assert_eq!((ran.code(), scene.calls()), (Some(13), 0), "{ran}");
        assert!(ran.stderr().contains("nothing was sent"), "{ran}");
    }
}

#[test]
fn without_a_ledger_the_journal_suffices() {
    let scene = Scene::new();
    fs::write(scene.path("state"), "").unwrap();

    let ran = scene.run(&[]);
    let again = scene.run(&[]);

    assert_eq!((ran.code(), again.code(), scene.calls()), (Some(0), Some(0), 2), "{ran}\n{again}");
    assert!(ran.stderr().contains("only the journal in the folder records which rows are sent"), "{ran}");
}
