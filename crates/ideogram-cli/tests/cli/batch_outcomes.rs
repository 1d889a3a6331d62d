//! `batch`: rows that fail, are declined or withheld, or whose outcome is unknown, and what a later run does with them.

use std::fs;

use ideogram_mock::{MockServer, Scenario};
use ideogram_testkit::{Reply, Server, response};

use crate::{
    batch::{TWO, batch, folder, images, prompts, sheet},
    invocation::{serve, snapshot},
};

#[test]
fn a_balance_that_is_too_low_stops_it_and_the_next_run_continues() {
    let rows: String = (0..6).map(|n| format!("{{\"prompt\":\"number {n}\",\"id\":{n}}}\n")).collect();
    let folder = folder("rows.jsonl", &rows);
    let server = serve(MockServer::builder().scenario(Scenario::PaymentRequired));

    let stopped = batch(&folder, &["rows.jsonl", "--max-in-flight", "1"]).against(&server).run();
    assert_eq!(prompts(&server).len(), 3);
    server.set_scenario(Scenario::Normal);
    let ran = batch(&folder, &["rows.jsonl"]).against(&server).run();

    assert_eq!((ran.code(), prompts(&server).len()), (Some(0), 9));
    snapshot!(stopped, @"
    exit code: 7
    ----- stderr -----
    contact sheet: rows-images/contact-sheet.html
    error: stopped: the balance does not cover the rows (3 rows in a row)
      6 rows: 0 images saved, 3 rows failed without being billed, 3 rows not run
      line 1 (0): failed, not billed: post_generate_image_v2_ideogram45: 402 Payment Required: You do not have sufficient balance.
      line 2 (1): failed, not billed: post_generate_image_v2_ideogram45: 402 Payment Required: You do not have sufficient balance.
      line 3 (2): failed, not billed: post_generate_image_v2_ideogram45: 402 Payment Required: You do not have sufficient balance.
    hint: top up the API balance, then run the same command again; no row is paid twice
    ");
}

#[test]
fn declined_rows_are_sent_again_only_with_retry_declined() {
    let folder = folder("rows.jsonl", "{\"prompt\":\"a\",\"id\":\"a\"}\n{\"prompt\":\"b\",\"id\":\"b\"}\n");
    let server = serve(MockServer::builder().scenario(Scenario::Declines));

    let declined = batch(&folder, &["rows.jsonl"]).against(&server).run();
    let again = batch(&folder, &["rows.jsonl"]).against(&server).run();
    assert_eq!((again.code(), prompts(&server).len()), (Some(6), 2));
    assert!(sheet(&folder).contains("<b>declined</b> not billed"));
    server.set_scenario(Scenario::Normal);
    let retried = batch(&folder, &["rows.jsonl", "--retry-declined"]).against(&server).run();

    assert_eq!((retried.code(), prompts(&server).len()), (Some(0), 4));
    snapshot!(declined, @"
    exit code: 6
    ----- stderr -----
    contact sheet: rows-images/contact-sheet.html
    error: 2 rows: 0 images saved, 2 rows declined
      line 1 (a): declined, not billed: post_generate_image_v2_ideogram45: 422 Unprocessable Entity: Prompt provided failed safety check due to the inclusion of prohibited content.
      line 2 (b): declined, not billed: post_generate_image_v2_ideogram45: 422 Unprocessable Entity: Prompt provided failed safety check due to the inclusion of prohibited content.
    hint: change the declined rows, or send them unchanged with --retry-declined
    ");
}

#[test]
fn a_call_that_failed_after_its_response_had_begun_is_not_billed_without_images() {
    let folder = folder("rows.jsonl", r#"{"operation":"post_remove_background_v2","image":"a.png","id":"a"}"#);
    image::GrayImage::new(32, 32).save(folder.path().join("a.png")).unwrap();
    let server = Server::start(|_, _| Reply::Bytes(response(200, "", r#"{"error":"no","status_code":402}"#)));

    for posts in 1..3 {
        let ran = batch(&folder, &["rows.jsonl", "--output", "json"]).at(server.url()).run();
        assert_eq!(ran.json()["rows"][0]["status"], "failed", "{ran}");
        assert_eq!(server.requests().len(), posts, "it is not billed, and sent again");
    }
}

#[test]
fn files_that_change_are_no_failure_of_the_service() {
    let failed = |line: &str| line.contains("local files cannot be read");
    let rows: String = (0..3).map(|n| format!("{{\"prompt\":\"a\",\"images\":[\"{n}.png\"]}}\n")).collect();
    let folder = folder("rows.jsonl", &rows);
    for n in 0..3 {
        image::GrayImage::new(32, 32 + n).save(folder.path().join(format!("{n}.png"))).unwrap();
    }
    // The first row is in flight while the files of the others change.
    let server = serve(MockServer::builder().generation_time(std::time::Duration::from_secs(2)));
    let mut child = batch(&folder, &["rows.jsonl", "--max-in-flight", "1", "--stop-after", "2"])
        .against(&server)
        .into_command()
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while prompts(&server).is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    for n in 1..3 {
        fs::write(folder.path().join(format!("{n}.png")), "other").unwrap();
    }
    let stderr = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(13), "{stderr}");
    assert!(stderr.lines().any(failed), "{stderr}");
}

#[test]
fn withheld_images_are_reported_and_billed_once() {
    let rows = "{\"prompt\":\"some withheld cats\",\"id\":\"cats\",\"model\":\"v3\",\"num_images\":2}\n";
    let folder = folder("rows.jsonl", rows);
    let server = serve(MockServer::builder());

    let ran = batch(&folder, &["rows.jsonl"]).against(&server).run();
    let again = batch(&folder, &["rows.jsonl"]).against(&server).run();

    assert_eq!((again.code(), prompts(&server).len()), (Some(11), 1));
    assert!(sheet(&folder).contains("<b>withheld</b>generated and billed"));
    snapshot!(ran, @"
    exit code: 11
    ----- stdout -----
    rows-images/cats-1.png
    ----- stderr -----
    contact sheet: rows-images/contact-sheet.html
    error: 1 row: 1 image saved, 1 image withheld
      line 1 (cats): 1 image withheld by the safety check, and billed
    ");
}

#[test]
fn rows_that_are_withheld_altogether_stop_it_since_they_are_billed() {
    let rows: String = (0..6).map(|n| format!("{{\"prompt\":\"withheld\",\"id\":{n}}}\n")).collect();
    let folder = folder("rows.jsonl", &rows);
    let server = serve(MockServer::builder());

    let ran = batch(&folder, &["rows.jsonl", "--max-in-flight", "1", "--stop-after", "2"]).against(&server).run();

    assert_eq!(ran.code(), Some(18), "{ran}");
    // One more may be under way while the second is being looked at.
    assert!((2..=3).contains(&prompts(&server).len()), "{:?}", prompts(&server));
}

#[test]
fn an_incomplete_response_is_paid_again_only_with_rerun_unknown() {
    let folder = folder("rows.jsonl", "{\"prompt\":\"a river\",\"id\":\"river\"}\n");
    let server = serve(MockServer::builder().scenario(Scenario::ResponseLostOnce));

    let lost = batch(&folder, &["rows.jsonl"]).against(&server).run();
    let again = batch(&folder, &["rows.jsonl"]).against(&server).run();
    assert_eq!((again.code(), prompts(&server).len()), (lost.code(), 1));
    let rerun = batch(&folder, &["rows.jsonl", "--rerun-unknown"]).against(&server).run();

    assert_eq!((rerun.code(), prompts(&server).len()), (Some(0), 2));
    snapshot!(lost, @"
    exit code: 10
    ----- stderr -----
    contact sheet: rows-images/contact-sheet.html
    error: 1 row: 0 images saved, 1 row of unknown outcome
      line 1 (river): outcome unknown, it may have been billed: post_generate_image_v2_ideogram45: the connection broke before a response arrived; the call may have run: check before calling again
    hint: rows of unknown outcome are not sent again, since they may be billed; --rerun-unknown sends them
    ");
}

#[test]
fn the_images_of_a_stored_response_are_saved_later_without_paying() {
    let folder = folder("rows.jsonl", TWO);
    let server = serve(MockServer::builder());
    let out = folder.path().join("rows-images");
    assert_eq!(batch(&folder, &["rows.jsonl"]).against(&server).run().code(), Some(0));
    // As if it had been killed before the end of both rows was noted: one image is there, another lacks its file.
    let journal = fs::read_to_string(out.join("batch.jsonl")).unwrap();
    let begun: Vec<&str> = journal.lines().filter(|line| !line.contains("\"finished\"")).collect();
    fs::write(out.join("batch.jsonl"), begun.join("\n") + "\n{\"finished\":{\"row\":\"ha").unwrap();
    fs::remove_file(out.join("cats-2.png")).unwrap();

    let ran = batch(&folder, &["rows.jsonl"]).against(&server).run();

    assert_eq!((ran.code(), prompts(&server).len()), (Some(0), 2), "{ran}");
    assert_eq!(images(&out), ["cats-1.png", "cats-2.png", "river.png"]);
}

#[test]
fn an_account_that_is_refused_stops_it_at_once() {
    let rows: String = (0..6).map(|n| format!("{{\"prompt\":\"{n}\",\"id\":{n}}}\n")).collect();
    let folder = folder("rows.jsonl", &rows);
    let server = serve(MockServer::builder());

    let ran = batch(&folder, &["rows.jsonl", "--max-in-flight", "1"]).at(server.url()).run();

    assert_eq!((ran.code(), server.requests().len()), (Some(3), 1), "{ran}");
}
