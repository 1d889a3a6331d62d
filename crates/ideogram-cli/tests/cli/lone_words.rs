//! A lone word that asks for help is no prompt: an image of it would be paid.

use ideogram_mock::MockServer;

use crate::invocation::{ideogram, serve, snapshot};

#[test]
fn a_single_word_for_help_generates_no_image() {
    let server = serve(MockServer::builder());
    for word in ["help", "HELP", " help ", "version", "usage", "?", "/?"] {
        for command in
            [&["generate"][..], &["generate", "--model", "v3"], &["generate", "--transparent"], &["magic-prompt"]]
        {
            let ran = ideogram(command.iter().copied().chain([word])).against(&server).run();
            assert_eq!(ran.code(), Some(2), "{command:?} {word}: {ran}");
        }
    }
    for word in ["-h", "--help", "--version", "-help"] {
        let ran = ideogram(["generate", "--", word]).against(&server).run();
        assert_eq!(ran.code(), Some(2), "{word}: {ran}");
    }
    for (command, code) in [(&["batch", "help"][..], 2), (&["describe", "help"], 13), (&["save", "help"], 13)] {
        let ran = ideogram(command.iter().copied()).against(&server).run();
        assert_eq!(ran.code(), Some(code), "{command:?}: {ran}");
    }
    for arguments in [["generate", "-h"], ["generate", "--help"], ["batch", "--help"]] {
        assert_eq!(ideogram(arguments).against(&server).run().code(), Some(0));
    }
    assert!(server.requests().is_empty());

    snapshot!(ideogram(["generate", "help"]).against(&server).run(), @r"
    exit code: 2
    ----- stderr -----
    error: `help` alone is taken for a question, not for a prompt: nothing was sent
    hint: --help after the command explains it, `ideogram --version` names the version
    hint: this sends the word all the same: echo 'help' | ideogram COMMAND -
    ");
}

#[test]
fn a_word_from_standard_input_and_a_longer_prompt_are_sent() {
    let server = serve(MockServer::builder());
    let folder = tempfile::tempdir().unwrap();

    let piped = ideogram(["generate", "-", "--out", "out"]).against(&server).in_folder(folder.path());
    assert_eq!(piped.run_with_input("help\n").code(), Some(0));
    let longer = ideogram(["generate", "help wanted", "--out", "out"]).against(&server).in_folder(folder.path());
    assert_eq!(longer.run().code(), Some(0));

    assert_eq!(server.requests().iter().filter(|request| request.method == "POST").count(), 2);
}
