//! Checks the document and its samples.

use ideogram_codegen::GeneratedClient;

use crate::{
    house_rules,
    problem::{Problem, Problems},
    samples,
    sources::Sources,
};

/// Checks the document, its examples and its samples, and generates the client or returns all problems. No I/O.
///
/// Samples are checked only if the document has no problems.
pub fn check(sources: &Sources) -> Result<GeneratedClient, Problems> {
    let text = sources.document();
    let client = GeneratedClient::read(text);
    let mut problems: Vec<Problem> =
        client.as_ref().err().into_iter().flat_map(ideogram_codegen::Error::problems).map(Problem::from).collect();
    if let Ok(root) = ideogram_codegen::read_yaml(text) {
        house_rules::check(text, &root, &mut problems);
        let all = problems.clone();
        problems.retain(|problem| !all.iter().any(|other| other.explains(problem)));
        problems.sort_by_key(Problem::line);
        if problems.is_empty() {
            samples::check(sources, &root, &mut problems);
        }
    }
    match client {
        Ok(client) if problems.is_empty() => Ok(client),
        _ => Err(Problems(problems)),
    }
}
