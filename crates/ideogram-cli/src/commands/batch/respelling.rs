//! A test across the modules that read rows: one table in every form that programs save it in.

use serde_json::{Map, Value};

use super::{draft::tests::keys, input::Form};

#[test]
fn a_table_respelled_at_random_holds_the_same_rows() {
    const PROMPTS: [&str; 9] = [
        "a lantern",
        "a lantern, lit",
        "red; night",
        "the \"red\" one",
        "\"quoted\"",
        "紙灯籠",
        "two\nlines",
        "a|b\tc",
        "-5",
    ];
    let mut random = fastrand::Rng::with_seed(2026);
    for case in 0..1500 {
        let rows: Vec<Map<String, Value>> = (0..random.usize(1..5))
            .map(|_| {
                let mut row = Map::new();
                row.insert("prompt".to_owned(), Value::from(PROMPTS[random.usize(..PROMPTS.len())]));
                if random.bool() {
                    row.insert("num_images".to_owned(), Value::from(random.u32(1..=8)));
                }
                if random.bool() {
                    row.insert("seed".to_owned(), Value::from(random.u32(..=2_147_483_647)));
                }
                if random.bool() {
                    row.insert("enable_copyright_detection".to_owned(), Value::from(random.bool()));
                }
                if random.bool() {
                    row.insert("aspect_ratio".to_owned(), Value::from(["1x1", "16x9"][random.usize(..2)]));
                }
                row
            })
            .collect();
        let plain: String = rows.iter().map(|row| format!("{}\n", Value::Object(row.clone()))).collect();
        let wanted = keys(Form::Jsonl, &plain);

        let (form, text) =
            if random.bool() { respelled_json(&rows, &mut random) } else { respelled_table(&rows, &mut random) };
        let bytes = encoded(&text, &mut random);
        let decoded = crate::text_input::decode(&bytes).unwrap();

        assert_eq!(keys(form, &decoded), wanted, "case {case}: {form:?}\n{text}");
    }
}

fn shuffled<T>(mut values: Vec<T>, random: &mut fastrand::Rng) -> Vec<T> {
    random.shuffle(&mut values);
    values
}

fn pick(words: &[&str], random: &mut fastrand::Rng) -> String {
    words[random.usize(..words.len())].to_owned()
}

fn encoded(text: &str, random: &mut fastrand::Rng) -> Vec<u8> {
    let marked = format!("\u{feff}{text}");
    match random.u8(..4) {
        0 => text.as_bytes().to_vec(),
        1 => marked.into_bytes(),
        2 => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    }
}

fn respelled_json(rows: &[Map<String, Value>], random: &mut fastrand::Rng) -> (Form, String) {
    let space = |random: &mut fastrand::Rng| pick(&["", " ", "\t"], random);
    let mut objects = Vec::new();
    for row in rows {
        let mut properties: Vec<(String, String)> = Vec::new();
        for (name, value) in row {
            let text = value.to_string();
            let text = match value {
                Value::Number(_) => {
                    pick(&[&text, &format!("{text}.0"), &format!("\"{text}\""), &format!("\" {text}\"")], random)
                }
                Value::Bool(_) => pick(&[&text, &format!("\"{text}\"")], random),
                Value::String(text) if random.bool() => {
                    let letters = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
                    format!("\"{}\"", letters.collect::<String>())
                }
                _ => text,
            };
            properties.push((format!("\"{name}\""), text));
        }
        if random.bool() {
            properties.push(("\"model\"".to_owned(), "\"v3\"".to_owned()));
        }
        if random.bool() {
            properties.push(("\"style_codes\"".to_owned(), "null".to_owned()));
        }
        let properties = shuffled(properties, random).into_iter();
        let properties: Vec<String> = properties
            .map(|(name, value)| format!("{}{name}{}:{}{value}", space(random), space(random), space(random)))
            .collect();
        objects.push(format!("{{{}}}", properties.join(",")));
    }
    let end = pick(&["\n", "\r\n", "\r", "\n\n"], random);
    match random.u8(..3) {
        0 => (Form::Jsonl, objects.join(&end)),
        1 => (Form::Json, format!("[{end}{}{end}]{end}", objects.join(&format!(",{end}")))),
        _ => (Form::Json, objects.join(&end)),
    }
}

fn respelled_table(rows: &[Map<String, Value>], random: &mut fastrand::Rng) -> (Form, String) {
    let separator = pick(&[",", ";", "\t", "|"], random);
    let end = pick(&["\n", "\r\n", "\r"], random);
    let mut columns: Vec<&str> = vec!["prompt", "num_images", "seed", "enable_copyright_detection", "aspect_ratio"];
    columns.push(["model", ""][random.usize(..2)]);
    let mut columns = shuffled(columns, random);
    let has_index = random.bool();
    if has_index {
        columns.insert(0, "");
    }
    let padding = random.usize(..3);
    let quotes_all = random.bool();
    let cell = |text: &str, random: &mut fastrand::Rng| {
        let must = text.contains(['"', ',', ';', '\t', '|', '\n', '\r']);
        let text = if must || quotes_all { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() };
        if separator == "\t" { text } else { format!("{}{text}{}", pick(&["", " "], random), pick(&["", " "], random)) }
    };
    let mut lines = Vec::new();
    match random.u8(0..4) {
        0 | 1 => lines.push(format!("sep={separator}")),
        2 => lines.push(cell("Table 1", random)),
        _ => {}
    }
    let header: Vec<String> = columns
        .iter()
        .map(|name| {
            let spelled = pick(&[name, &name.to_uppercase(), &name.replace('_', " ")], random);
            cell(&spelled, random)
        })
        .collect();
    lines.push(header.join(&separator) + &separator.repeat(padding));
    for (index, row) in rows.iter().enumerate() {
        let mut cells = Vec::new();
        for (column, name) in columns.iter().enumerate() {
            let text = match row.get(*name) {
                _ if column == 0 && has_index => index.to_string(),
                None if *name == "model" => pick(&["v3", ""], random),
                None if name.is_empty() => String::new(),
                None => pick(&["", "", "nan", "NaN", "None", "<NA>"], random),
                Some(Value::Number(number)) => {
                    let number = number.to_string();
                    let mut spellings =
                        vec![number.clone(), format!("{number}.0"), format!(" {number}"), format!("0{number}")];
                    spellings.push(format!("{number},0"));
                    if number.len() == 10 {
                        spellings.push(format!(
                            "{}.{}.{}.{}",
                            &number[..1],
                            &number[1..4],
                            &number[4..7],
                            &number[7..]
                        ));
                    }
                    spellings[random.usize(..spellings.len())].clone()
                }
                Some(Value::Bool(true)) => pick(&["TRUE", "True", "true", "WAHR", "VRAI", "1"], random),
                Some(Value::Bool(false)) => pick(&["FALSE", "False", "false", "FALSCH", "FAUX", "0.0"], random),
                Some(value) => value.as_str().unwrap().replace('\n', if random.bool() { "\r\n" } else { "\n" }),
            };
            cells.push(cell(&text, random));
        }
        lines.push(cells.join(&separator) + &separator.repeat(padding));
        if random.u8(..4) == 0 {
            lines.push(separator.repeat(columns.len()));
        }
    }
    let form = if separator == "\t" { [Form::Csv, Form::Tsv][random.usize(..2)] } else { Form::Csv };
    (form, lines.join(&end) + if random.bool() { &end } else { "" })
}
