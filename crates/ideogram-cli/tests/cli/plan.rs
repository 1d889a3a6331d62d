//! `datasets plan`.

use crate::{
    invocation::{ideogram, snapshot},
    sync_setup::{IMAGE, SyncSetup},
};

#[test]
fn a_plan_lists_every_file_and_sends_nothing() {
    let setup = SyncSetup::new();
    setup.fill(2);
    setup.datasets("sync", []).run();
    setup.server.clear_requests();
    setup.write("new.png", IMAGE).write("new.txt", b"a lantern").write("more/deep.webp", IMAGE);
    setup.write("001.png", IMAGE).write("notes.md", b"# notes").write(".hidden.png", IMAGE);
    std::fs::remove_file(setup.path().join("set/000.txt")).unwrap();

    let ran = setup.datasets("plan", []).run();

    let requests: Vec<_> = setup.server.requests().iter().map(|request| request.method.clone()).collect();
    assert_eq!(requests, ["GET"]);
    snapshot!(ran, @"
    exit code: 0
    ----- stdout -----
    Dataset:          Night market (bnieaqG5ZfQGxF0YgAlFTw)
    Folder:           set
    To send:          3 files, 149 B: 2 images and 1 caption
    There:            1 file, 70 B
    Trainable now:    no: 2 images, 13 too few for a training (15 to 100)
    Trainable after:  no: 4 images, 11 too few for a training (15 to 100)

    FILE            SIZE  STATE       NOTE
    000.png         70 B  there
    001.png         70 B  different   the dataset has one of 71 B, which cannot be replaced
    more/deep.webp  70 B  to send     of another format than its name says
    new.png         70 B  to send
    new.txt          9 B  to send
    000.txt         16 B  only there
    .hidden.png           skipped     hidden: its name begins with a dot
    notes.md              skipped     neither image nor caption
    ");
}

#[test]
fn a_plan_is_data_with_its_sums() {
    let setup = SyncSetup::new();
    setup.fill(16);

    let plan = setup.datasets("plan", ["--output", "json"]).run();

    let json = plan.json();
    assert_eq!((plan.code(), plan.stderr().as_str()), (Some(0), ""));
    assert_eq!(json["to_send"]["files"], 22);
    assert_eq!((&json["to_send"]["images"], &json["to_send"]["captions"]), (&16.into(), &6.into()));
    assert_eq!(json["trainable_now"]["status"]["too_few"]["missing"], 15);
    assert_eq!(json["trainable_after"]["status"], "yes");
    assert_eq!((&json["files"][0]["name"], &json["files"][0]["state"]), (&"000.png".into(), &"missing".into()));
}

#[test]
fn files_that_cannot_be_sent_are_named_with_the_reason() {
    let setup = SyncSetup::new();
    setup.write("good.png", IMAGE).write("empty.png", b"").write("text.png", b"no image at all");
    setup.write("orphan.txt", b"of no image").write("a/same.png", IMAGE).write("b/same.png", IMAGE);

    snapshot!(setup.datasets("plan", []).run(), @"
    exit code: 13
    ----- stdout -----
    Dataset:          Night market (bnieaqG5ZfQGxF0YgAlFTw)
    Folder:           set
    To send:          1 file, 70 B: 1 image and 0 captions
    There:            nothing
    Trainable now:    no: 0 images, 15 too few for a training (15 to 100)
    Trainable after:  no: 1 image, 14 too few for a training (15 to 100)

    FILE        SIZE  STATE    NOTE
    a/same.png  70 B  refused  has the same name as set/b/same.png
    b/same.png  70 B  refused  has the same name as set/a/same.png
    empty.png    0 B  refused  it is empty
    good.png    70 B  to send
    orphan.txt  11 B  refused  a caption without an image: a.txt is the caption of a.png, a.jpg or a.webp
    text.png    15 B  refused  it is not a JPEG, PNG or WebP image
    ----- stderr -----
    error: 5 files of the folder cannot be sent
    hint: `sync` sends the others, and ends with the exit code 11
    ");
}

#[test]
fn more_images_than_a_dataset_holds_are_too_many() {
    let setup = SyncSetup::new();
    setup.fill(101);

    let ran = setup.datasets("plan", ["--jq", ".trainable_after"]).run();

    snapshot!(ran, @r#"
    exit code: 2
    ----- stdout -----
    {
      "images": 101,
      "uncertain": 0,
      "status": {
        "too_many": {
          "surplus": 1
        }
      }
    }
    ----- stderr -----
    error: the dataset would have 101 images, 1 more than the maximum of 100
    hint: `sync` would send nothing: remove images from the folder
    "#);
}

#[test]
fn a_folder_without_images_has_a_hint() {
    let setup = SyncSetup::new();
    setup.write("notes.md", b"# notes");

    snapshot!(setup.datasets("plan", []).run(), @r#"
    exit code: 0
    ----- stdout -----
    Dataset:          Night market (bnieaqG5ZfQGxF0YgAlFTw)
    Folder:           set
    To send:          nothing
    There:            nothing
    Trainable now:    no: 0 images, 15 too few for a training (15 to 100)
    Trainable after:  no: 0 images, 15 too few for a training (15 to 100)

    FILE      SIZE  STATE    NOTE
    notes.md        skipped  neither image nor caption
    ----- stderr -----
    warning: there are no images and no captions in "set"
    "#);
}

#[test]
fn what_cannot_be_compared_ends_with_its_own_exit_code() {
    let setup = SyncSetup::new();

    let no_folder = setup.ideogram(["datasets", "plan", &setup.id, "nowhere"]).run();
    let no_dataset = setup.ideogram(["datasets", "plan", "nope", "set"]).run();
    let no_key = ideogram(["datasets", "plan", "demo", "set"]).in_folder(setup.path()).run();
    let no_service = ideogram(["--attempts", "1", "datasets", "plan", "demo", "set"])
        .at("http://127.0.0.1:1")
        .in_folder(setup.path());

    assert_eq!(no_dataset.code(), Some(5), "{no_dataset}");
    assert_eq!(no_key.code(), Some(3), "{no_key}");
    assert_eq!(no_service.run().code(), Some(9));
    snapshot!(no_folder, @r#"
    exit code: 13
    ----- stderr -----
    error: nothing was sent: the folder cannot be read
      caused by: cannot read the folder "nowhere": No such file or directory (os error [CODE])
    "#);
}

#[test]
fn a_dry_run_of_a_plan_shows_its_only_request() {
    let setup = SyncSetup::new();

    snapshot!(setup.datasets("plan", ["--dry-run"]).run(), @"
    exit code: 0
    ----- stdout -----
    GET http://127.0.0.1:[PORT]/datasets/bnieaqG5ZfQGxF0YgAlFTw

    api-key:  [key]
    ----- stderr -----
    dry run: nothing was sent
    ");
    assert!(setup.server.requests().is_empty());
}
