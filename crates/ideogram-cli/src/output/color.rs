//! Colors. They never carry information that is not in the text.

use std::io::{self, IsTerminal as _};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default();
/// Headings of tables.
pub(crate) const HEADING: Style = Style::new().bold();

/// When to color.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal that can show it, unless `NO_COLOR` is set; `CLICOLOR_FORCE` colors elsewhere too
    #[default]
    Auto,
    /// Also in files and pipes
    Always,
    /// Not at all
    Never,
}

/// The environment of the decision.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own, and named where it is answered")]
struct Surroundings {
    is_terminal: bool,
    no_color: bool,
    is_forced: bool,
    can_show: bool,
}

impl When {
    /// Whether to color standard output.
    pub(crate) fn on_stdout(self) -> bool {
        self.on(io::stdout().is_terminal())
    }

    /// Whether to color standard error.
    pub(crate) fn on_stderr(self) -> bool {
        self.on(io::stderr().is_terminal())
    }

    /// The same for the help, which is printed before the arguments are parsed.
    pub(crate) fn for_help(self) -> clap::ColorChoice {
        match self {
            Self::Auto => clap::ColorChoice::Auto,
            Self::Always => clap::ColorChoice::Always,
            Self::Never => clap::ColorChoice::Never,
        }
    }

    fn on(self, is_terminal: bool) -> bool {
        let colors = self.decide(Surroundings {
            is_terminal,
            no_color: anstyle_query::no_color(),
            is_forced: anstyle_query::clicolor_force(),
            can_show: anstyle_query::term_supports_ansi_color(),
        });
        if colors && is_terminal {
            // Older consoles of Windows need a switch; elsewhere this does nothing.
            #[cfg(windows)]
            let _ = anstyle_query::windows::enable_ansi_colors();
        }
        colors
    }

    fn decide(self, surroundings: Surroundings) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if surroundings.no_color => false,
            Self::Auto => surroundings.is_forced || (surroundings.is_terminal && surroundings.can_show),
        }
    }
}

/// The text, in a style if `color` is set.
pub(crate) fn styled(text: &str, style: Style, color: bool) -> String {
    if color { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: Surroundings =
        Surroundings { is_terminal: true, no_color: false, is_forced: false, can_show: true };
    const PIPE: Surroundings = Surroundings { is_terminal: false, ..TERMINAL };

    #[test]
    fn color_is_for_terminals_by_default() {
        for (when, surroundings, expected) in [
            (When::Auto, TERMINAL, true),
            (When::Auto, PIPE, false),
            (When::Auto, Surroundings { can_show: false, ..TERMINAL }, false),
            (When::Auto, Surroundings { no_color: true, ..TERMINAL }, false),
            (When::Auto, Surroundings { is_forced: true, ..PIPE }, true),
            (When::Auto, Surroundings { is_forced: true, no_color: true, ..PIPE }, false),
            (When::Always, Surroundings { no_color: true, ..PIPE }, true),
            (When::Never, Surroundings { is_forced: true, ..TERMINAL }, false),
        ] {
            assert_eq!(when.decide(surroundings), expected, "{when:?} {surroundings:?}");
        }
    }
}
