//! Prints differences by operation, each with what both documents say and where.

use super::{compare::Difference, decisions::Decisions, document::Document, tree::Fact};

/// Longer texts are cut: an enum may have fifty values.
const MAX_CHARS: usize = 160;

/// Which differences to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Those that nobody has decided.
    Undecided,
    /// All, each with its reason.
    All,
}

/// A comparison as text.
pub(crate) struct Report {
    pub(crate) text: String,
    /// How many differences have no decision.
    pub(crate) undecided: usize,
}

/// Describes the differences, ends with their number.
pub(crate) fn report(
    ours: &Document,
    theirs: &Document,
    differences: &[Difference],
    decisions: &Decisions,
    shown: Shown,
) -> Report {
    let mut text = String::new();
    let (mut undecided, mut last_title) = (0, "");
    for difference in differences {
        let decision = decisions.about(difference);
        undecided += usize::from(decision.is_none());
        if decision.is_some() && shown == Shown::Undecided {
            continue;
        }
        if last_title != difference.title {
            let id = Some(&difference.operation).filter(|id| !id.is_empty());
            text += &format!("{}{}\n", difference.title, id.map(|id| format!(" ({id})")).unwrap_or_default());
            last_title = &difference.title;
        }
        let location = Some(&difference.location).filter(|location| !location.is_empty());
        text += &format!("  {}{}\n", location.map(|text| format!("{text}: ")).unwrap_or_default(), difference.fact);
        text += &format!("    ours    {}\n", side(ours, &difference.ours));
        text += &format!("    theirs  {}\n", side(theirs, &difference.theirs));
        if let Some(decision) = decision {
            text += &format!("    decided {}: {}\n", decision.point, decision.reason);
        }
    }
    if shown == Shown::All {
        text.extend(decisions.unused(differences).into_iter().map(|unused| format!("note: {unused}\n")));
    }
    let decided = differences.len() - undecided;
    let hint = if shown == Shown::Undecided && decided > 0 { "; `--all` prints them with their reasons" } else { "" };
    text += &match (undecided, decided) {
        (0, 0) => "no difference\n".to_owned(),
        (0, _) => format!("every difference is decided: {decided}{hint}\n"),
        _ => format!("{undecided} not decided, {decided} decided{hint}\n"),
    };
    Report { text, undecided }
}

fn side(document: &Document, side: &Fact) -> String {
    let mut text: String = side.text.chars().take(MAX_CHARS).collect();
    if text.len() < side.text.len() {
        text.push('…');
    }
    match &side.pointer {
        Some(pointer) => format!("{text}  {}", document.place(pointer)),
        None => text,
    }
}
