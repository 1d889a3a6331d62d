//! Responses, expressions and results of any depth: an error at worst, never the end of the process.

use crate::{
    images::folder,
    invocation::{Ran, ideogram},
    rogue::Rogue,
};

const DEPTH: usize = 150_000;

fn nested() -> [String; 3] {
    [
        format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH)),
        format!("{}1{}", "{\"a\":".repeat(DEPTH), "}".repeat(DEPTH)),
        format!("{}1{}", "[1,".repeat(DEPTH), "]".repeat(DEPTH)),
    ]
}

fn has_ended_by_itself(ran: &Ran, what: &str) {
    let code = ran.code().unwrap_or_else(|| panic!("{what}: ended by a signal"));
    assert!(code != 101 && code != 134, "{what}: {code}");
}

#[test]
fn a_deep_response_is_printed_in_every_format() {
    for deep in nested() {
        let body = format!(
            r#"{{"dataset":{{"dataset_id":"d","name":"n","user_id":"u","creation_time":"2026-06-30T09:12:44Z","deep":{deep}}},
                "file_count":0,"files":[],"custom_model_ids":[]}}"#
        );
        for more in
            [&[][..], &["--output", "json"], &["--output", "jsonl"], &["--jq", ".dataset.name"], &["--jq", ".dataset"]]
        {
            let rogue = Rogue::responding("200 OK", &body);

            let ran = ideogram(["datasets", "get", "d"].into_iter().chain(more.iter().copied())).at(rogue.url()).run();

            has_ended_by_itself(&ran, &format!("{more:?}"));
            // As many levels as the stack of the expression takes.
            let may_fail = more == ["--jq", ".dataset"] && ran.stderr().contains("nests too deeply");
            assert!(ran.code() == Some(0) || may_fail, "{more:?}: {:.300}", ran.stderr());
            assert!(ran.stdout().len() < 3 * body.len() + 100_000, "{more:?}: {}", ran.stdout().len());
        }
    }
}

#[test]
fn a_deep_error_is_an_error() {
    for deep in nested() {
        for status in ["400 Bad Request", "422 Unprocessable Entity", "500 Internal Server Error", "200 OK"] {
            for more in [&[][..], &["--output", "json"], &["--debug"]] {
                let rogue = Rogue::responding(status, &deep);
                let run = ideogram(["--attempts", "1", "datasets", "get", "d"].into_iter().chain(more.iter().copied()));

                let ran = run.at(rogue.url()).run();

                has_ended_by_itself(&ran, &format!("{status} {more:?}"));
                assert_ne!(ran.code(), Some(0), "{status}");
            }
        }
    }
}

/// What is paid for is printed whole, however deep it is.
#[test]
fn a_deep_description_is_not_lost() {
    let folder = folder(&["a.png"]);
    for deep in nested() {
        let body = format!(r#"{{"descriptions":[{{"text":"a cat"}}],"news":{deep}}}"#);
        for format in ["json", "jsonl"] {
            let rogue = Rogue::responding("200 OK", &body);
            let run = ideogram(["--output", format, "describe", "a.png"]).at(rogue.url());

            let ran = run.at_home(folder.path()).in_folder(folder.path()).run();

            assert_eq!(ran.code(), Some(0), "{:.300}", ran.stderr());
            let printed: String = ran.stdout().split_whitespace().collect();
            assert!(printed.contains(&deep), "{format}");
        }
    }
}

#[test]
fn an_expression_may_nest_and_recurse_deeply() {
    let nested: String = "(".repeat(30_000) + "1" + &")".repeat(30_000);
    for (expression, printed) in [
        ("1", Some("1\n")),
        ("def f: 1 + f; f", None),
        ("def f: [f]; f", None),
        ("reduce range(300000) as $i (0; [.]) | length", Some("1\n")),
        ("[limit(3; repeat(1))] | length", Some("3\n")),
        ("reduce range(3000000) as $i (0; [.])", None),
        ("\"[\" * 200000 | fromjson", None),
        (nested.as_str(), None),
    ] {
        let ran = ideogram(["--mock", "datasets", "list", "--jq", expression]).run();

        let shown: String = expression.chars().take(60).collect();
        has_ended_by_itself(&ran, &shown);
        match printed {
            Some(printed) => assert_eq!((ran.code(), ran.stdout().as_str()), (Some(0), printed), "{shown}"),
            // As many levels as the stack takes are a result.
            None if ran.code() == Some(0) => {}
            None => assert!(ran.stderr().contains("caused by: "), "{shown}: {:.300}", ran.stderr()),
        }
    }
}

#[test]
fn the_response_of_a_paid_call_outlives_its_expression() {
    for expression in ["def f: 1 + f; f", ".a.b.c.d | error(\"no\")", "halt_error", "nan"] {
        let ran = ideogram(["--mock", "magic-prompt", "a cat", "--jq", expression]).run();

        assert_eq!(ran.code(), Some(11), "{expression}: {ran}");
        assert!(ran.stderr().contains("the response was: {"), "{expression}: {ran}");
    }
}

#[test]
fn an_expression_sees_no_environment() {
    for expression in ["env", "$ENV", "env.IDEOGRAM_API_KEY", "$ENV.IDEOGRAM_API_KEY"] {
        let ran =
            ideogram(["--mock", "datasets", "list", "--jq", expression]).env("IDEOGRAM_API_KEY", "secret-1234").run();

        assert_eq!(ran.code(), Some(2), "{expression}: {ran}");
        assert!(!ran.stderr().contains("secret-1234"), "{ran}");
    }
}
