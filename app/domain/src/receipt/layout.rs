//! From lines to rows of a given width.
//!
//! Width is counted in characters: one column each, see [`printable`]. A row in double size has half the columns. From 32 columns on, which is
//! the narrowest paper there is, an amount always fits a row and is never broken: where double size would break a row, it is tall only.

use super::words::{printable, width};
use super::{Line, Weight};

/// How large a row is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Size {
    /// As everything.
    #[default]
    Normal,
    /// Twice as high.
    Tall,
    /// Twice as high and twice as wide: half the columns.
    Double,
}

impl Size {
    /// Columns that a character takes.
    #[must_use]
    pub const fn columns(self) -> usize {
        match self {
            Self::Double => 2,
            Self::Normal | Self::Tall => 1,
        }
    }
}

/// A row of text as it stands on the paper.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// Without trailing spaces; as many characters as its size lets in, at most.
    pub text: String,
    /// Printed bold.
    pub bold: bool,
    /// How large.
    pub size: Size,
}

/// What comes out of a printer, from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Laid {
    /// A row of text.
    Row(Row),
    /// A QR code that says this, in the middle.
    Code(String),
    /// The paper is cut.
    Cut,
    /// The drawer opens.
    Drawer,
}

/// Lays lines out on `columns` columns (at least two).
#[must_use]
pub fn lay_out(lines: &[Line], columns: usize) -> Vec<Laid> {
    lay_out_in(lines, columns, &[Size::Double, Size::Tall])
}

/// The rows as text, each ended by a line feed. Sizes, codes, cuts and the drawer are a printer's; the words are all there.
#[must_use]
pub fn render_text(lines: &[Line], columns: usize) -> String {
    let laid = lay_out_in(lines, columns, &[Size::Normal]);
    laid.into_iter()
        .filter_map(|laid| match laid {
            Laid::Row(row) => Some(row.text + "\n"),
            Laid::Code(_) | Laid::Cut | Laid::Drawer => None,
        })
        .collect()
}

/// `large`: the sizes that a large line may have, the largest first.
fn lay_out_in(lines: &[Line], columns: usize, large: &[Size]) -> Vec<Laid> {
    let columns = columns.max(2);
    let mut laid = Vec::new();
    for line in lines {
        let (weight, rows): (_, &dyn Fn(usize) -> Vec<String>) = match line {
            Line::Title { text, weight } => (*weight, &|room| centred(text, room)),
            Line::Text { text, centred: true } => (Weight::Normal, &|room| centred(text, room)),
            Line::Text { text, centred: false } => (Weight::Normal, &|room| wrap(text, room)),
            Line::Pair { left, right, weight } => (*weight, &|room| pair(left, right, room)),
            Line::Table { header, rows } => (Weight::Normal, &|room| table(header, rows, room)),
            Line::Rule => (Weight::Normal, &|room| vec!["-".repeat(room)]),
            Line::Blank => (Weight::Normal, &|_| vec![String::new()]),
            Line::Code { data } => {
                laid.push(Laid::Code(data.clone()));
                continue;
            }
            Line::Cut => {
                laid.push(Laid::Cut);
                continue;
            }
            Line::Drawer => {
                laid.push(Laid::Drawer);
                continue;
            }
        };
        let sizes = if weight == Weight::Large { large } else { &[Size::Normal] };
        push(&mut laid, sizes, weight != Weight::Normal, columns, rows);
    }
    laid
}

/// Puts rows in the largest size in which they are one row, or in the last.
fn push(laid: &mut Vec<Laid>, sizes: &[Size], bold: bool, columns: usize, rows: &dyn Fn(usize) -> Vec<String>) {
    for (size, is_last) in sizes.iter().zip((1..=sizes.len()).map(|nth| nth == sizes.len())) {
        let rows = rows(columns / size.columns());
        if is_last || rows.len() == 1 {
            laid.extend(rows.into_iter().map(|text| Laid::Row(Row { text: text.trim_end().to_owned(), bold, size: *size })));
            return;
        }
    }
}

/// Breaks a text between words, and a word that is wider than the paper wherever it must. Leading spaces indent every row.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let text = printable(text);
    let indent = (width(&text) - width(text.trim_start())).min(columns - 1);
    let room = columns - indent;
    let mut rows = Vec::new();
    let mut row = String::new();
    for word in text.split_whitespace() {
        if !row.is_empty() && width(&row) + 1 + width(word) > room {
            rows.push(std::mem::take(&mut row));
        }
        if !row.is_empty() {
            row.push(' ');
        }
        for c in word.chars() {
            if width(&row) == room {
                rows.push(std::mem::take(&mut row));
            }
            row.push(c);
        }
    }
    rows.push(row);
    rows.into_iter().map(|row| format!("{}{row}", " ".repeat(indent))).collect()
}

fn centred(text: &str, columns: usize) -> Vec<String> {
    wrap(text.trim(), columns).iter().map(|row| format!("{}{row}", " ".repeat(columns.saturating_sub(width(row)) / 2))).collect()
}

fn on_the_right(row: &str, columns: usize) -> String {
    format!("{}{row}", " ".repeat(columns.saturating_sub(width(row))))
}

fn pair(left: &str, right: &str, columns: usize) -> Vec<String> {
    let (left, right) = (printable(left), printable(right));
    let right = right.trim();
    let used = width(&left) + width(right);
    if used < columns {
        return vec![format!("{left}{}{right}", " ".repeat(columns - used))];
    }
    let mut rows = wrap(&left, columns);
    rows.extend(wrap(right, columns).iter().map(|row| on_the_right(row, columns)));
    rows
}

/// Equal columns for the values, what is left for the first. Values need a space before them. When that is too narrow, a pair per value.
fn table(header: &[String; 4], values: &[[String; 4]], columns: usize) -> Vec<String> {
    let cell = columns * 10 / 42;
    let first = columns - 3 * cell;
    let rows: Vec<[String; 4]> = std::iter::once(header).chain(values).map(|row| row.each_ref().map(|text| printable(text))).collect();
    let fits = rows.iter().all(|[label, amounts @ ..]| width(label) <= first && amounts.iter().all(|amount| width(amount) < cell));
    if fits {
        return rows
            .iter()
            .map(|[label, amounts @ ..]| {
                let amounts: String = amounts.iter().map(|amount| on_the_right(amount, cell)).collect();
                format!("{label}{}{amounts}", " ".repeat(first - width(label)))
            })
            .collect();
    }
    let mut pairs = Vec::new();
    for [label, amounts @ ..] in values {
        for (name, amount) in header[1..].iter().zip(amounts) {
            pairs.extend(pair(&format!("{label} {name}"), amount, columns));
        }
    }
    pairs
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::Cents;
    use crate::receipt::euros;
    use proptest::prelude::*;

    fn rows(lines: &[Line], columns: usize) -> Vec<Row> {
        lay_out(lines, columns).into_iter().filter_map(|laid| if let Laid::Row(row) = laid { Some(row) } else { None }).collect()
    }

    #[test]
    fn a_value_that_does_not_fit_has_the_next_line_for_itself() {
        let line = Line::pair("1 x Magret de canard au miel et aux épices", "24,00 A");
        assert_eq!(
            render_text(std::slice::from_ref(&line), 32),
            "1 x Magret de canard au miel et\naux épices\n                         24,00 A\n"
        );
        assert_eq!(render_text(&[line], 50), "1 x Magret de canard au miel et aux épices 24,00 A\n");
        assert_eq!(render_text(&[Line::pair("a", "b")], 3), "a b\n");
        assert_eq!(render_text(&[Line::pair("ab", "c")], 3), "ab\n  c\n");
    }

    #[test]
    fn what_is_large_is_as_large_as_one_row_allows() {
        let total = |amount| Line::large("TOTAL", euros(Cents(amount)));
        let double = &rows(&[total(5200)], 32)[0];
        assert_eq!((double.text.as_str(), double.size, double.bold), ("TOTAL  52,00 EUR", Size::Double, true));
        let tall = &rows(&[total(520_000)], 32)[0];
        assert_eq!((tall.text.as_str(), tall.size), ("TOTAL               5 200,00 EUR", Size::Tall));
        assert_eq!(render_text(&[total(5200)], 32), "TOTAL                  52,00 EUR\n", "a text has one size");
    }

    #[test]
    fn a_table_too_wide_for_the_paper_becomes_pairs() {
        let row = |cells: [&str; 4]| cells.map(str::to_owned);
        let table =
            |net: &str| Line::Table { header: row(["Taux", "HT", "TVA", "TTC"]), rows: vec![row(["A 10\u{a0}%", net, "2,18", "24,00"])] };
        assert_eq!(
            render_text(&[table("21,82")], 32),
            "Taux            HT    TVA    TTC\n\
             A 10 %       21,82   2,18  24,00\n"
        );
        assert_eq!(
            render_text(&[table("1 234 567,89")], 32),
            "A 10 % HT           1 234 567,89\nA 10 % TVA                  2,18\nA 10 % TTC                 24,00\n"
        );
    }

    #[test]
    fn nothing_in_a_name_can_command_the_printer() {
        let text = render_text(&[Line::pair("Vin\u{1b}p0\u{19} rouge\n", "5,00 €\u{7f}"), Line::title("\u{9b}A\u{202f}B")], 42);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }

    pub fn any_line() -> impl Strategy<Value = Line> {
        let words = "[ a-zéŒ’€\u{a0}\t\u{1b}]{0,70}";
        let amount = || any::<i64>().prop_map(|cents| euros(Cents(cents)));
        prop_oneof![
            words.prop_map(Line::title),
            words.prop_map(Line::banner),
            words.prop_map(Line::text),
            words.prop_map(Line::centred),
            (words, amount()).prop_map(|(label, amount)| Line::pair(label, amount)),
            (words, amount()).prop_map(|(label, amount)| Line::strong(label, amount)),
            (words, amount()).prop_map(|(label, amount)| Line::large(label, amount)),
            (words, any::<[i64; 3]>()).prop_map(|(label, cents)| {
                let [a, b, c] = cents.map(|cents| Cents(cents).to_french());
                Line::Table { header: ["Taux", "HT", "TVA", "TTC"].map(str::to_owned), rows: vec![[label, a, b, c]] }
            }),
            Just(Line::Rule),
            Just(Line::Blank),
        ]
    }

    /// Everything but the spaces.
    fn ink(text: &str) -> String {
        printable(text).split_whitespace().collect()
    }

    proptest! {
        #[test]
        fn no_row_is_wider_than_the_paper(lines in prop::collection::vec(any_line(), 0..12), columns in 2usize..60) {
            for row in rows(&lines, columns) {
                prop_assert!(row.text.chars().count() * row.size.columns() <= columns, "{:?}", row.text);
            }
            prop_assert!(render_text(&lines, columns).lines().all(|row| row.chars().count() <= columns));
        }

        #[test]
        fn an_amount_is_never_cut_and_stands_on_the_right(label in "[a-zé ]{0,70}", cents in any::<i64>(), columns in 32usize..60, weight in 0usize..3) {
            let amount = euros(Cents(cents));
            let amount_line: [fn(String, String) -> Line; 3] = [Line::pair, Line::strong, Line::large];
            let line = amount_line[weight](label, amount.clone());
            let rows = rows(&[line], columns);
            let last = rows.last().unwrap();
            prop_assert!(last.text.ends_with(&amount), "{rows:?}");
            prop_assert_eq!(width(&last.text), columns / last.size.columns());
        }

        #[test]
        fn nothing_is_lost(label in "[ -~éàœ’…]{0,120}", value in "[!-~é]{0,60}", columns in 32usize..60) {
            for line in [Line::pair(&label, &value), Line::large(&label, &value)] {
                let all: String = rows(&[line], columns).iter().map(|row| ink(&row.text)).collect();
                prop_assert_eq!(all, ink(&label) + &ink(&value));
            }
            for line in [Line::text(&label), Line::title(&label), Line::banner(&label)] {
                let all: String = rows(&[line], columns).iter().map(|row| ink(&row.text)).collect();
                prop_assert_eq!(all, ink(&label));
            }
        }

        #[test]
        fn every_amount_of_a_table_is_on_the_paper(cents in any::<[i64; 3]>(), columns in 32usize..60) {
            let amounts = cents.map(|cents| Cents(cents).to_french());
            let [a, b, c] = amounts.clone();
            let table = Line::Table { header: ["Taux", "HT", "TVA", "TTC"].map(str::to_owned), rows: vec![["A 10 %".to_owned(), a, b, c]] };
            let text = render_text(&[table], columns);
            prop_assert!(amounts.iter().all(|amount| text.contains(amount.as_str())), "{text}");
        }
    }
}
