//! Finds the names that a function mentions, itself or in the functions that it calls. Source is read, not compiled, so
//! that a check takes no build.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Arm, Item, LitStr, visit_mut::VisitMut};

/// The functions of some source files, by module and name.
#[derive(Debug, Default)]
pub(crate) struct Functions {
    functions: BTreeMap<(String, String), Words>,
    /// The arms of all matches on texts: a pattern, the module, and what the arm mentions.
    arms: Vec<(String, String, Words)>,
}

/// What tokens mention.
#[derive(Clone, Debug, Default)]
struct Words {
    /// Texts, and identifiers that are not called as methods.
    names: BTreeSet<String>,
    /// Paths of two segments and single identifiers: what may be a function.
    paths: BTreeSet<(Option<String>, String)>,
}

impl Functions {
    /// Reads the source of a module. Source that does not parse has no functions: the compiler reports it.
    pub(crate) fn add(&mut self, module: &str, source: &str) {
        let Ok(mut file) = syn::parse_file(source) else { return };
        let mut arms = Arms::default();
        arms.visit_file_mut(&mut file);
        for (pattern, body) in arms.0 {
            self.arms.push((pattern, module.to_owned(), Words::of(body)));
        }
        for item in file.items {
            if let Item::Fn(function) = item {
                let key = (module.to_owned(), function.sig.ident.to_string());
                self.functions.insert(key, Words::of(function.block.to_token_stream()));
            }
        }
    }

    /// Returns the module of the first function that the arm for a text mentions.
    pub(crate) fn module_of(&self, text: &str) -> Option<&str> {
        let (_, module, words) = self.arms.iter().find(|arm| arm.0 == text)?;
        self.called(module, words).next().map(|((module, _), _)| module.as_str())
    }

    /// The functions that words of a module may call: in the module of their path, or else in the same one.
    fn called(&self, module: &str, words: &Words) -> impl Iterator<Item = (&(String, String), &Words)> {
        let keys = words.paths.iter().flat_map(move |(path, name)| {
            let modules = path.iter().map(String::as_str).chain([module]);
            modules.map(|module| (module.to_owned(), name.clone())).collect::<Vec<_>>()
        });
        keys.filter_map(|key| self.functions.get_key_value(&key))
    }

    /// Returns everything that the arms for a text mention; `None` if there is no arm for it.
    pub(crate) fn reached_from(&self, text: &str) -> Option<BTreeSet<String>> {
        let mut pending: Vec<(&str, &Words)> =
            self.arms.iter().filter(|arm| arm.0 == text).map(|arm| (arm.1.as_str(), &arm.2)).collect();
        if pending.is_empty() {
            return None;
        }
        let (mut names, mut seen) = (BTreeSet::new(), BTreeSet::new());
        while let Some((module, words)) = pending.pop() {
            names.extend(words.names.iter().cloned());
            let called = self.called(module, words).filter(|(key, _)| seen.insert(*key));
            pending.extend(called.map(|(key, words)| (key.0.as_str(), words)));
        }
        Some(names)
    }
}

/// The arms of matches whose patterns are texts.
#[derive(Default)]
struct Arms(Vec<(String, TokenStream)>);

impl VisitMut for Arms {
    fn visit_arm_mut(&mut self, arm: &mut Arm) {
        for token in arm.pat.to_token_stream() {
            if let Some(text) = text_of(&token) {
                self.0.push((text, arm.body.to_token_stream()));
            }
        }
        syn::visit_mut::visit_arm_mut(self, arm);
    }
}

impl Words {
    fn of(tokens: TokenStream) -> Self {
        let mut words = Self::default();
        words.add(tokens);
        words
    }

    fn add(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (index, token) in tokens.iter().enumerate() {
            let is_before = |back: usize, wanted: char| {
                let token = index.checked_sub(back).map(|index| &tokens[index]);
                matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
            };
            match token {
                TokenTree::Group(group) => self.add(group.stream()),
                TokenTree::Ident(name) => {
                    self.names.insert(name.to_string());
                    if is_before(1, '.') {
                        continue;
                    }
                    let module = (is_before(1, ':') && is_before(2, ':'))
                        .then(|| index.checked_sub(3).map(|index| tokens[index].to_string()))
                        .flatten();
                    self.paths.insert((module, name.to_string()));
                }
                token => self.names.extend(text_of(token)),
            }
        }
    }
}

fn text_of(token: &TokenTree) -> Option<String> {
    syn::parse2::<LitStr>(token.to_token_stream()).ok().map(|text| text.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_through_functions_of_all_modules_but_not_through_methods() {
        let mut functions = Functions::default();
        functions.add(
            "main",
            "fn find(id: &str) -> F { match id { \"a\" | \"b\" => things::list, \"c\" => own(), _ => none } }\n\
             fn own() { typed!(x, { size: 1 }) }",
        );
        functions.add(
            "things",
            "fn list(call: Call) { call.get(\"search\"); helper() }\nfn helper() { \"inner\"; }\n\
             fn get() { \"not reached\"; }",
        );

        let reached = |text| functions.reached_from(text);
        let names = reached("b").unwrap();
        assert!(names.contains("search") && names.contains("inner") && !names.contains("not reached"), "{names:?}");
        assert!(reached("c").unwrap().contains("size"));
        assert_eq!(reached("d"), None);
        assert_eq!((functions.module_of("a"), functions.module_of("c")), (Some("things"), Some("main")));
    }
}
