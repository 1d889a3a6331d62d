use std::{collections::HashSet, fs, path::Path, sync::LazyLock};

use ideogram_client::request::PartContent;
use serde_json::json;

use super::*;
use crate::commands::batch::input::Form;

fn reading(folder: &Path) -> Reading {
    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        // As `main` does it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::new("secret-1234").unwrap()
    });
    Reading { client: CLIENT.clone(), model: Model::find("v3").unwrap(), folder: folder.to_owned(), unchecked: false }
}

fn rows_in(folder: &Path, form: Form, text: &str) -> Vec<Row> {
    let (raw, problems) = form.read(text);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    rows(raw, &reading(folder)).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

pub(in super::super) fn keys(form: Form, text: &str) -> Vec<String> {
    rows_in(Path::new(""), form, text).into_iter().map(|row| row.key).collect()
}

#[test]
fn the_same_request_is_the_same_row() {
    let wanted = keys(Form::Jsonl, r#"{"prompt": "a lantern", "num_images": 2, "model": "v3"}"#);
    for (form, text) in [
        (Form::Jsonl, r#"{"num_images":2.0,"prompt":"a lantern"}"#),
        (Form::Jsonl, r#"{"num_images":" 2","prompt":"a l\u0061ntern","id":"x"}"#),
        (
            Form::Jsonl,
            "{\"prompt\": \"\u{feff}a lantern\", \"num_images\": 2, \"operation\": \"post_generate_image_v2_ideogram_v3\"}",
        ),
        (Form::Csv, "prompt,num_images\na lantern, 2\n"),
        (Form::Csv, "Num Images;prompt;;\n2,0;\"a lantern\";;\n"),
        (Form::Tsv, "id\tprompt\tnum_images\tmodel\nx\ta lantern\t2.0\tv3\n"),
    ] {
        assert_eq!(keys(form, text), wanted, "{text}");
    }
    for text in [
        r#"{"prompt": "a lantern", "num_images": 3}"#,
        r#"{"prompt": "a lantern"}"#,
        r#"{"prompt": "a lantern ", "num_images": 2}"#,
        r#"{"text_prompt": "a lantern", "model": "v4"}"#,
    ] {
        assert_ne!(keys(Form::Jsonl, text), wanted, "{text}");
    }
    assert_eq!(
        keys(Form::Jsonl, r#"{"prompt": "a", "model": "v4"}"#),
        keys(Form::Jsonl, r#"{"text_prompt": "a", "model": "v4"}"#)
    );
}

#[test]
fn legacy_rows_are_the_same_whatever_the_order_and_the_nesting() {
    let wanted = keys(Form::Jsonl, r#"{"prompt": "a", "model": "V_2", "num_images": 2, "seed": 7}"#);
    for (form, text) in [
        (
            Form::Jsonl,
            r#"{"operation": "post_generate_image", "image_request": {"seed": 7.0, "model": "V_2", "num_images": 2, "prompt": "a"}}"#,
        ),
        (Form::Csv, "seed,num_images,model,prompt\n7.0,2,V_2,a\n"),
        (
            Form::Csv,
            "operation;image_request\npost_generate_image;\"{\"\"seed\"\":7,\"\"prompt\"\":\"\"a\"\",\"\"num_images\"\":2,\"\"model\"\":\"\"V_2\"\"}\"\n",
        ),
    ] {
        assert_eq!(keys(form, text), wanted, "{text}");
    }
}

#[test]
fn the_order_within_a_structured_prompt_matters() {
    let row = |prompt: &str| format!("{{\"model\": \"v4\", \"json_prompt\": {prompt}}}");
    let one = r#"{"high_level_description": "a", "compositional_deconstruction": {"background": "b", "elements": []}}"#;
    let other =
        r#"{"compositional_deconstruction": {"elements": [], "background": "b"}, "high_level_description": "a"}"#;
    let rows = rows_in(Path::new(""), Form::Jsonl, &format!("{}\n{}", row(one), row(other)));

    assert_ne!(rows[0].key, rows[1].key);
    for (row, text) in rows.iter().zip([one, other]) {
        let body: Value = serde_json::from_slice(row.request.json_body().unwrap()).unwrap();
        assert_eq!(body["prompt"], text.replace(": ", ":").replace(", ", ","));
    }
    let spelled = row(&serde_json::to_string(&one.replace(' ', "\t ")).unwrap());
    assert_eq!(keys(Form::Jsonl, &spelled)[0], rows[0].key);
}

#[test]
fn equal_rows_are_two_rows_and_each_id_names_its_own() {
    let rows = rows_in(
        Path::new(""),
        Form::Jsonl,
        "{\"prompt\": \"a\", \"id\": \"x\"}\n\"a\"\n{\"prompt\": \"a\", \"id\": \"y\"}",
    );

    let keys: HashSet<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(keys.len(), 3);
    assert_eq!((rows[0].name.as_str(), rows[2].name.as_str()), ("x", "y"));
    assert_eq!(rows[1].name, format!("a-{}-2", &rows[0].key[..8]));
}

const ONE: &[u8] = b"\x89PNG\r\n\x1a\none";
const TWO: &[u8] = b"\x89PNG\r\n\x1a\ntwo";

#[test]
fn files_are_identified_by_their_content() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    for (name, content) in [("a.png", ONE), ("sub/b.png", ONE), ("c.png", TWO)] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let row = |path: &str| json!({"operation": "post_remix_image_v3", "prompt": "x", "image": path}).to_string();
    let absolute = folder.path().join("a.png").display().to_string();
    let texts = [row("a.png"), row("./sub/../a.png"), row("sub/b.png"), row(&absolute), row("c.png")];
    let key = |text: &str| rows_in(folder.path(), Form::Jsonl, text)[0].key.clone();
    let keys: Vec<String> = texts.iter().map(|text| key(text)).collect();

    assert_eq!(keys[..4].iter().collect::<HashSet<_>>().len(), 1);
    assert_ne!(keys[4], keys[0]);
}

#[tokio::test]
async fn a_file_that_has_changed_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    fs::write(&path, ONE).unwrap();
    let row = json!({"operation": "post_remix_image_v3", "prompt": "x", "image": "a.png"}).to_string();
    let row = rows_in(folder.path(), Form::Jsonl, &row).remove(0);

    let sealed = row.sealed_request().await.unwrap();
    let PartContent::File(file) = &sealed.parts()[0].content else { panic!("no file") };
    assert_eq!((file.name().as_ref(), file.path()), ("a.png", None));
    // With the same length and time as before.
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, TWO).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert!(row.sealed_request().await.unwrap_err().contains("has changed"));
    fs::remove_file(&path).unwrap();
    assert!(row.sealed_request().await.unwrap_err().contains("can no longer be read"));
}
