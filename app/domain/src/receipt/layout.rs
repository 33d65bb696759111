//! From lines to rows of a given width.
//!
//! Width is counted in characters: French text for a thermal printer has one column per character. From 32 columns on, which is the
//! narrowest paper there is, an amount always fits a row and is never broken.

use super::Line;

/// A row as it stands on the paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Laid {
    /// At most as many characters as there are columns, without trailing spaces.
    pub text: String,
    /// Printed bold.
    pub bold: bool,
}

/// Lays lines out on `columns` columns (at least one).
#[must_use]
pub fn lay_out(lines: &[Line], columns: usize) -> Vec<Laid> {
    let columns = columns.max(1);
    let mut rows = Vec::new();
    for line in lines {
        match line {
            Line::Title { text } => push(&mut rows, wrap(text, columns).iter().map(|row| centre(row, columns)), true),
            Line::Text { text, centred: true } => push(&mut rows, wrap(text, columns).iter().map(|row| centre(row, columns)), false),
            Line::Text { text, centred: false } => push(&mut rows, wrap(text, columns), false),
            Line::Pair { left, right, bold } => push(&mut rows, pair(left, right, columns), *bold),
            Line::Table { header, rows: values } => push(&mut rows, table(header, values, columns), false),
            Line::Rule => push(&mut rows, ["-".repeat(columns)], false),
            Line::Blank => push(&mut rows, [String::new()], false),
        }
    }
    rows
}

/// The rows as text, each ended by a line feed.
#[must_use]
pub fn render_text(lines: &[Line], columns: usize) -> String {
    lay_out(lines, columns).into_iter().flat_map(|row| [row.text, "\n".to_owned()]).collect()
}

fn push(rows: &mut Vec<Laid>, texts: impl IntoIterator<Item = String>, bold: bool) {
    rows.extend(texts.into_iter().map(|text| Laid { text: text.trim_end().to_owned(), bold }));
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Control characters must never reach a printer (an escape in a dish's name could open the drawer), and the no-break spaces of
/// French numbers are in no code page.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{a0}' | '\u{202f}') { ' ' } else { c }).collect()
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

fn centre(row: &str, columns: usize) -> String {
    format!("{}{row}", " ".repeat(columns.saturating_sub(width(row)) / 2))
}

fn on_the_right(row: &str, columns: usize) -> String {
    format!("{}{row}", " ".repeat(columns.saturating_sub(width(row))))
}

fn pair(left: &str, right: &str, columns: usize) -> Vec<String> {
    let (left, right) = (printable(left), printable(right));
    let used = width(&left) + width(&right);
    if used < columns {
        return vec![format!("{left}{}{right}", " ".repeat(columns - used))];
    }
    let mut rows = wrap(&left, columns);
    if width(&right) <= columns {
        rows.push(on_the_right(&right, columns));
    } else {
        rows.extend(wrap(&right, columns).iter().map(|row| on_the_right(row, columns)));
    }
    rows
}

/// Equal columns for the values, what is left for the first. Values need a space before them.
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
mod tests {
    use super::*;
    use crate::Cents;
    use proptest::prelude::*;

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

    fn any_line() -> impl Strategy<Value = Line> {
        let words = "[ a-zé\u{a0}\t]{0,70}";
        prop_oneof![
            words.prop_map(Line::title),
            words.prop_map(Line::text),
            words.prop_map(Line::centred),
            (words, any::<i64>()).prop_map(|(label, cents)| Line::pair(label, super::super::euros(Cents(cents)))),
            (words, any::<[i64; 3]>()).prop_map(|(label, cents)| {
                let [a, b, c] = cents.map(|cents| Cents(cents).to_french());
                Line::Table { header: ["Taux", "HT", "TVA", "TTC"].map(str::to_owned), rows: vec![[label, a, b, c]] }
            }),
            Just(Line::Rule),
            Just(Line::Blank),
        ]
    }

    proptest! {
        #[test]
        fn no_row_is_wider_than_the_paper(lines in prop::collection::vec(any_line(), 0..12), columns in 1usize..60) {
            for row in lay_out(&lines, columns) {
                prop_assert!(row.text.chars().count() <= columns, "{:?}", row.text);
            }
        }

        #[test]
        fn no_amount_is_ever_cut(label in "[a-zé ]{0,70}", cents in any::<i64>(), columns in 32usize..60) {
            let amount = super::super::euros(Cents(cents));
            let text = render_text(&[Line::pair(label, amount.as_str())], columns);
            prop_assert!(text.lines().any(|row| row.ends_with(&amount)), "{text}");
        }
    }
}
