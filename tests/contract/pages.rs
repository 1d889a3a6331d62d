//! The pages of the repository: what they link to and name is there.

use std::path::{Path, PathBuf};

const PAGES: [&str; 7] = [
    "README.md",
    ".github/CONTRIBUTING.md",
    "openapi/README.md",
    "crates/ideogram-cli/README.md",
    "crates/ideogram-client/README.md",
    "crates/ideogram-codegen/README.md",
    "crates/ideogram-mock/README.md",
];
/// What a path in backticks begins with.
const FOLDERS: [&str; 5] = ["crates/", "openapi/", "tests/", "xtask/", ".ci/"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The texts between two marks.
fn between<'t>(text: &'t str, begin: &str, end: &str) -> Vec<&'t str> {
    text.split(begin).skip(1).filter_map(|rest| rest.split_once(end)).map(|(inside, _)| inside).collect()
}

/// The parts of a page outside code blocks.
fn prose(page: &str) -> String {
    page.split("```").step_by(2).collect()
}

#[test]
fn every_link_and_every_path_on_a_page_leads_to_a_file() {
    let mut missing = Vec::new();
    let mut checked = 0;
    for page in PAGES.map(|page| root().join(page)) {
        let text = prose(&std::fs::read_to_string(&page).unwrap());
        let folder = page.parent().unwrap();
        let links = between(&text, "](", ")").into_iter().filter(|link| !link.contains("::") && !link.contains("//"));
        let links = links.filter_map(|link| link.split('#').next()).filter(|link| link.contains(['/', '.']));
        let paths = between(&text, "`", "`").into_iter().filter(|path| FOLDERS.iter().any(|it| path.starts_with(it)));
        let paths = paths.filter(|path| !path.contains(['<', '*', ' ', '{']));
        for target in links.map(|link| folder.join(link)).chain(paths.map(|path| root().join(path))) {
            checked += 1;
            if !target.exists() {
                missing.push(format!("{}: {}", page.display(), target.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(checked > 30, "{checked} links and paths");
}
