//! Text output: fields and tables in columns.
//!
//! Start at [`ToLayout`]. [`Layout::render`] replaces control characters, and cuts nothing: a table that is too wide for
//! the terminal becomes a list of fields.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr as _;

use crate::{output::color, output::printable::printable};

/// Stands for a missing value.
pub(crate) const ABSENT: &str = "-";

const GAP: usize = 2;

/// A response that can be printed as text.
pub(crate) trait ToLayout {
    /// The property whose elements `--output jsonl` prints line by line, for responses that have no other property.
    /// Without it, the response is one line.
    const ROWS: Option<&'static str> = None;

    /// The text output.
    fn layout(&self) -> Layout;
}

/// The screen that a layout is laid out for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Screen {
    /// In columns; `None` for no limit.
    pub(crate) width: Option<usize>,
    pub(crate) color: bool,
}

/// Stands for what is cut.
const CUT: &str = "…";
/// A cell is not cut shorter than this.
const MIN_CUT: usize = 10;

/// Sections, separated by empty lines.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    sections: Vec<Section>,
}

#[derive(Debug)]
enum Section {
    Line(String),
    Fields(Vec<Field>),
    Table(Table),
}

#[derive(Debug)]
struct Field {
    label: Cow<'static, str>,
    /// One line each.
    values: Vec<String>,
}

/// Rows under headings.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    /// Whether it is a list to look through, which is cut to the width of the terminal.
    is_overview: bool,
}

/// The heading of a column, and the alignment of its values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    Left(&'static str),
    Right(&'static str),
}

impl Layout {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A layout that begins with a blank line, to follow another.
    pub(crate) fn after_another() -> Self {
        Self { sections: vec![Section::Fields(Vec::new())] }
    }

    /// Adds a line.
    pub(crate) fn line(mut self, text: impl Into<String>) -> Self {
        self.sections.push(Section::Line(text.into()));
        self
    }

    /// Adds a field to the last section of fields, or begins one.
    pub(crate) fn field(self, label: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.list(label, [value.into()])
    }

    /// Adds a field with a line for each value.
    pub(crate) fn list(
        mut self,
        label: impl Into<Cow<'static, str>>,
        values: impl IntoIterator<Item = String>,
    ) -> Self {
        let mut values: Vec<String> = values.into_iter().collect();
        if values.is_empty() {
            values.push(ABSENT.to_owned());
        }
        let field = Field { label: label.into(), values };
        if let Some(Section::Fields(fields)) = self.sections.last_mut() {
            fields.push(field);
        } else {
            self.sections.push(Section::Fields(vec![field]));
        }
        self
    }

    /// Adds a table; one without rows is left out.
    pub(crate) fn table(mut self, table: Table) -> Self {
        if !table.rows.is_empty() {
            self.sections.push(Section::Table(table));
        }
        self
    }

    /// Adds another layout below.
    pub(crate) fn and(mut self, layout: Self) -> Self {
        self.sections.extend(layout.sections);
        self
    }

    /// The layout as text, no wider than the screen if possible.
    pub(crate) fn render(&self, screen: Screen) -> String {
        let sections: Vec<String> = self.sections.iter().map(|section| section.render(screen)).collect();
        sections.join("\n")
    }
}

impl Section {
    fn render(&self, screen: Screen) -> String {
        match self {
            Self::Line(text) => format!("{}\n", printable(text)),
            Self::Fields(fields) => render_fields(fields, screen),
            Self::Table(table) => table.render(screen),
        }
    }
}

impl Table {
    pub(crate) fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new(), is_overview: false }
    }

    /// A list to look through: on a narrow terminal its cells are cut, and the last columns left out. Other tables become
    /// fields there.
    pub(crate) fn overview(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { is_overview: true, ..Self::new(columns) }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn render(&self, screen: Screen) -> String {
        let headings: Vec<Cow<'_, str>> = self.columns.iter().map(|column| Cow::Borrowed(column.heading())).collect();
        let rows = self.rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect());
        let lines: Vec<Vec<Cow<'_, str>>> = std::iter::once(headings).chain(rows).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| lines.iter().map(|cells| cells[column].width()).max().unwrap_or_default())
            .collect();
        let whole = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let (mut lines, mut widths) = (lines, widths);
        if let Some(width) = screen.width.filter(|width| whole > *width) {
            if !self.is_overview {
                return self.render_as_fields(screen);
            }
            widths = fitted(&widths, width);
            for cells in &mut lines {
                let cut = cells.iter().zip(&widths).map(|(cell, width)| Cow::Owned(cut(cell, *width))).collect();
                *cells = cut;
            }
            if widths.len() < self.columns.len() {
                lines[0].push(Cow::Borrowed(CUT));
                lines.iter_mut().skip(1).for_each(|cells| cells.push(Cow::Borrowed("")));
                widths.push(1);
            }
        }
        let mut lines = lines.iter().map(|cells| self.line(cells, &widths));
        let headings = lines.next().expect("the headings are the first line");
        let headings = color::styled(headings.trim_end(), color::HEADING, screen.color);
        std::iter::once(headings + "\n").chain(lines).collect()
    }

    fn line(&self, cells: &[Cow<'_, str>], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((column, cell), width) in self.columns.iter().zip(cells).zip(widths) {
            let padding = " ".repeat(width - cell.width());
            match column {
                Column::Left(_) => line.extend([cell, padding.as_str()]),
                Column::Right(_) => line.extend([padding.as_str(), cell]),
            }
            line.push_str(&" ".repeat(GAP));
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    }

    fn render_as_fields(&self, screen: Screen) -> String {
        let records = self.rows.iter().map(|row| {
            let fields = self.columns.iter().zip(row);
            let fields: Vec<Field> = fields
                .map(|(column, cell)| Field { label: column.heading().into(), values: vec![cell.clone()] })
                .collect();
            render_fields(&fields, screen)
        });
        records.collect::<Vec<_>>().join("\n")
    }
}

/// The widths of the columns that fit: the first as wide as it can be, the others cut, the last left out.
fn fitted(widths: &[usize], width: usize) -> Vec<usize> {
    let first = widths[0].min(width.saturating_sub(2 * (GAP + MIN_CUT)).max(MIN_CUT));
    let mut fitting = vec![first];
    // A sign for the columns that are left out.
    let mut left = width.saturating_sub(first + GAP + CUT.width());
    for own in &widths[1..] {
        let least = (*own).min(MIN_CUT) + GAP;
        if least > left {
            break;
        }
        fitting.push(least - GAP);
        left -= least;
    }
    for (fitted, own) in fitting.iter_mut().zip(widths).skip(1) {
        let more = (own - *fitted).min(left);
        *fitted += more;
        left -= more;
    }
    fitting
}

/// A cell that is cut where it is too wide.
fn cut(cell: &str, width: usize) -> String {
    if cell.width() <= width {
        return cell.to_owned();
    }
    let mut kept = String::new();
    for letter in cell.chars() {
        let mut longer = kept.clone();
        longer.push(letter);
        if longer.width() + CUT.width() > width {
            break;
        }
        kept = longer;
    }
    kept + CUT
}

impl Column {
    fn heading(self) -> &'static str {
        match self {
            Self::Left(heading) | Self::Right(heading) => heading,
        }
    }
}

fn render_fields(fields: &[Field], screen: Screen) -> String {
    let column = fields.iter().map(|field| field.label.width() + 1).max().unwrap_or_default() + GAP;
    let mut text = String::new();
    for field in fields {
        let label = format!("{}:", field.label);
        let gap = " ".repeat(column - label.width());
        let mut beginning = color::styled(&label, color::HEADING, screen.color) + &gap;
        for value in &field.values {
            let line = format!("{beginning}{}", printable(value));
            text.push_str(line.trim_end());
            text.push('\n');
            beginning = " ".repeat(column);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Table {
        let mut table = Table::new([Column::Left("FILE"), Column::Right("SIZE")]);
        table.row(["紙灯籠.png".to_owned(), "9.7 MiB".to_owned()]);
        table.row(["a\nb".to_owned(), "64 B".to_owned()]);
        table
    }

    fn wide(width: usize) -> Screen {
        Screen { width: Some(width), color: false }
    }

    #[test]
    fn color_changes_no_letter_and_no_column() {
        let layout = Layout::new().field("Id", "demo").table(files());

        let colored = layout.render(Screen { width: None, color: true });

        assert_eq!(colored.replace("\x1b[1m", "").replace("\x1b[0m", ""), layout.render(Screen::default()));
        assert!(colored.contains("\x1b[1mFILE           SIZE\x1b[0m\n"), "{colored:?}");
    }

    #[test]
    fn columns_line_up_on_the_screen_whatever_the_letters() {
        let layout =
            Layout::new().field("Id", "demo").list("Models", ["one".to_owned(), "two".to_owned()]).table(files());

        assert_eq!(
            layout.render(Screen::default()),
            "Id:      demo\nModels:  one\n         two\n\n\
             FILE           SIZE\n紙灯籠.png  9.7 MiB\na\\nb           64 B\n"
        );
    }

    #[test]
    fn a_table_wider_than_the_terminal_becomes_fields() {
        let layout = Layout::new().table(files());

        assert_eq!(layout.render(wide(19)), layout.render(Screen::default()));
        assert_eq!(layout.render(wide(18)), "FILE:  紙灯籠.png\nSIZE:  9.7 MiB\n\nFILE:  a\\nb\nSIZE:  64 B\n");
    }

    #[test]
    fn an_overview_is_cut_to_the_width_of_the_terminal() {
        let mut table = Table::overview(["ID", "NAME", "STATUS", "URI"].map(Column::Left));
        table.row(
            ["Zm9v4kQ1T0", "紙灯籠と提灯のスタイル", "COMPLETED", "model/paper-lanterns/version/1"].map(str::to_owned),
        );
        let layout = Layout::new().table(table);

        for width in 24..120 {
            let text = layout.render(wide(width));
            assert!(text.lines().all(|line| line.width() <= width), "{width}\n{text}");
            assert_eq!(text.lines().count(), 2, "{width}\n{text}");
        }
        assert_eq!(
            layout.render(wide(60)),
            "ID          NAME                    STATUS     URI\n\
             Zm9v4kQ1T0  紙灯籠と提灯のスタイル  COMPLETED  model/pap…\n"
        );
        assert_eq!(
            layout.render(wide(36)),
            "ID          NAME        STATUS     …\nZm9v4kQ1T0  紙灯籠と…   COMPLETED\n"
        );
    }

    #[test]
    fn what_is_not_there_is_shown_as_such() {
        assert_eq!(Layout::new().list("Models", []).table(Table::new([])).render(Screen::default()), "Models:  -\n");
    }
}
