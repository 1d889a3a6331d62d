//! Prints tokens with line breaks, so that a message of the compiler and "go to definition" lead to a line of the
//! generated source.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// Returns the source of tokens, with a line break after each statement, each field and each item.
pub(crate) fn source(tokens: TokenStream) -> String {
    let mut text = String::new();
    print(tokens, &mut text);
    text
}

fn print(tokens: TokenStream, text: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                text.push_str("{\n");
                print(group.stream(), text);
                text.push_str("}\n");
            }
            TokenTree::Punct(punct) => {
                text.push(punct.as_char());
                match (punct.as_char(), punct.spacing()) {
                    (';' | ',', _) => text.push('\n'),
                    (_, Spacing::Joint) => {}
                    (_, Spacing::Alone) => text.push(' '),
                }
            }
            token => {
                text.push_str(&token.to_string());
                text.push(' ');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_and_statement_begins_a_line_and_no_token_changes() {
        let source = r#"impl<'a> A<'a> { #[doc = "a; {b}"] pub fn b(&'a self) -> u8 { let c = |x: u8| { x }; c(1) as u8 } fn d() {} }"#;
        let tokens: TokenStream = source.parse().unwrap();

        let printed = super::source(tokens.clone());

        assert_eq!(printed.parse::<TokenStream>().unwrap().to_string(), tokens.to_string());
        assert!(
            ["# [doc", "let c", "c (1)", "fn d"]
                .iter()
                .all(|begin| { printed.lines().any(|line| line.starts_with(begin)) }),
            "{printed}"
        );
    }
}
