//! Randomly broken documents are refused with a location, or generated; there is never a panic.

use ideogram_codegen::GeneratedClient;
use serde_json::{Value, json};

use crate::petshop::PETSHOP;

/// Numbers that are the same on every machine (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

fn pointers(value: &Value, pointer: &str, collected: &mut Vec<String>) {
    collected.push(pointer.to_owned());
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                pointers(value, &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), collected);
            }
        }
        Value::Array(array) => {
            for (index, value) in array.iter().enumerate() {
                pointers(value, &format!("{pointer}/{index}"), collected);
            }
        }
        _ => {}
    }
}

/// Drops, swaps, retypes or renames one node.
fn mutate(document: &mut Value, random: &mut Random) {
    let mut all = Vec::new();
    pointers(document, "", &mut all);
    let target = all[1 + random.below(all.len() - 1)].clone();
    let (parent, key) = target.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    let replacements = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!("text"),
        json!(""),
        json!([]),
        json!({}),
        json!({"$ref": "#/paths"}),
    ];
    match random.below(4) {
        0 => match document.pointer_mut(parent) {
            Some(Value::Object(object)) => drop(object.remove(&key)),
            Some(Value::Array(array)) => drop(array.remove(key.parse().unwrap())),
            _ => {}
        },
        1 => {
            let other = all[random.below(all.len())].clone();
            let moved = document.pointer(&other).unwrap().clone();
            *document.pointer_mut(&target).unwrap() = moved;
        }
        2 => *document.pointer_mut(&target).unwrap() = replacements[random.below(replacements.len())].clone(),
        _ => {
            if let Some(Value::Object(object)) = document.pointer_mut(parent) {
                let value = object.remove(&key).unwrap();
                let names =
                    ["", "ä", "type", "self", "Self", "items", "x-a-billing", "a b", "$ref", "allOf", "nullable"];
                object.insert(names[random.below(names.len())].to_owned(), value);
            }
        }
    }
}

fn run(document: &str, seeds: std::ops::Range<u64>) {
    let document: Value = ideogram_codegen::read_yaml(document).unwrap();
    let (mut refused, mut generated) = (0, 0);
    for seed in seeds {
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (seed + 1));
        let mut mutant = document.clone();
        for _ in 0..=random.below(3) {
            mutate(&mut mutant, &mut random);
        }
        // JSON is YAML, so the mutant is read like any other document.
        let text = serde_json::to_string_pretty(&mutant).unwrap();
        match GeneratedClient::read(&text) {
            Ok(client) => {
                let parsed: Result<proc_macro2::TokenStream, _> = client.source().parse();
                assert!(parsed.is_ok(), "seed {seed}: the source is not Rust");
                generated += 1;
            }
            Err(error) => {
                for problem in error.problems() {
                    assert!(problem.line().is_some() && !problem.repair_hint().is_empty(), "seed {seed}: {problem}");
                    assert!(!problem.message().contains("panicked"), "seed {seed}: no rule refuses this: {problem}");
                }
                refused += 1;
            }
        }
    }
    assert!(refused > 0 && generated > 0, "{refused} refused, {generated} generated");
}

#[test]
fn broken_pet_shops_are_refused_with_a_location() {
    run(PETSHOP, 0..400);
}
