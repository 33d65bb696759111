//! The table, for a person, as JSON, and as a chart.

use serde_json::{Value, json};
use std::path::PathBuf;

/// One figure beside its limit.
pub struct Row {
    what: String,
    unit: &'static str,
    /// What we reach.
    pub ours: f64,
    /// What the machine, or the target, allows.
    pub limit: f64,
    target: &'static str,
    /// Whether it is what it should be; none: nothing is asked of it.
    met: Option<bool>,
    /// Whatever else was measured.
    pub detail: Value,
    check: Option<fn(&Self) -> bool>,
    /// What `ours` has to reach, where that is not the limit itself.
    aim: Option<f64>,
}

impl Row {
    /// A figure and its limit.
    pub fn new(what: String, unit: &'static str, ours: f64, limit: f64) -> Self {
        Self { what, unit, ours, limit, target: "", met: None, detail: json!({}), check: None, aim: None }
    }

    /// What it should be.
    pub fn with_target(mut self, target: &'static str, check: fn(&Self) -> bool) -> Self {
        self.target = target;
        self.check = Some(check);
        self
    }

    /// Whatever else was measured.
    pub fn with_detail(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }

    /// What has to be reached for the target, in the unit of the figure; unless said the limit itself.
    pub fn aiming_at(mut self, aim: f64) -> Self {
        self.aim = Some(aim);
        self
    }

    /// Ours to the limit.
    pub fn ratio(&self) -> f64 {
        self.ours / self.limit
    }

    /// Whether more is better, or less: of what is counted in a second more.
    fn direction(&self) -> &'static str {
        if self.unit.ends_with("/s") { "more" } else { "less" }
    }

    fn aim(&self) -> f64 {
        self.aim.unwrap_or(self.limit)
    }

    /// How far the target is reached: 1 is there, more is better, whatever is counted.
    fn reached(&self) -> f64 {
        if self.direction() == "more" { self.ours / self.aim() } else { self.aim() / self.ours }
    }
}

/// All figures of a run.
#[derive(Default)]
pub struct Report(Vec<Row>);

impl Report {
    /// Adds a figure.
    pub fn add(&mut self, mut row: Row) {
        row.met = row.check.map(|check| check(&row));
        println!("{}", line(&row));
        self.0.push(row);
    }

    /// Everything that is counted in this unit.
    pub fn sum_of(&self, unit: &str) -> f64 {
        self.0.iter().filter(|row| row.unit == unit).map(|row| row.ours).sum()
    }

    /// The table.
    pub fn print(&self) {
        println!("\n{:<46} {:>12} {:>12} {:>7}  target", "what", "ours", "limit", "ratio");
        for row in &self.0 {
            println!("{}", line(row));
        }
        let count = |met| self.0.iter().filter(|row| row.met == Some(met)).count();
        println!("\n{} targets met, {} missed", count(true), count(false));
    }

    /// `NAME.json` and `NAME.svg` in the folder `bench` of the target folder.
    pub fn write(&self, name: &str) {
        let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from).join("bench");
        std::fs::create_dir_all(&folder).unwrap();
        let rows: Vec<Value> = self
            .0
            .iter()
            .map(|row| {
                json!({
                    "what": row.what, "unit": row.unit, "ours": row.ours, "limit": row.limit, "ratio": row.ratio(),
                    "target": row.target, "met": row.met, "detail": row.detail, "direction": row.direction(), "aim": row.aim(),
                })
            })
            .collect();
        std::fs::write(folder.join(format!("{name}.json")), serde_json::to_vec_pretty(&rows).unwrap()).unwrap();
        std::fs::write(folder.join(format!("{name}.svg")), self.chart()).unwrap();
        println!("{}", folder.join(format!("{name}.json")).display());
    }

    /// A bar for each figure: how far its target is reached, which is at the line. To the right is better.
    fn chart(&self) -> String {
        let mut svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{}" font-family="sans-serif" font-size="13">"##,
            30 * self.0.len() + 40
        );
        for (i, row) in self.0.iter().enumerate() {
            let (y, width) = (30 * i + 20, (row.reached().clamp(0.0, 1.4) * 300.0).round());
            let colour = match row.met {
                Some(true) => "#2f7d4f",
                Some(false) => "#b3401f",
                None => "#777777",
            };
            svg += &format!(
                r##"<text x="8" y="{}">{}</text><rect x="330" y="{y}" width="{width}" height="18" fill="{colour}"/><text x="{}" y="{}">{:.0} {} ({:.0} %)</text>"##,
                y + 14,
                row.what,
                336.0 + width,
                y + 14,
                row.ours,
                row.unit,
                row.reached() * 100.0
            );
        }
        svg += &format!(r##"<line x1="630" x2="630" y1="10" y2="{}" stroke="#888" stroke-dasharray="4"/></svg>"##, 30 * self.0.len() + 20);
        svg
    }
}

fn line(row: &Row) -> String {
    let mark = if row.met == Some(false) { "✗ " } else { "  " };
    let detail = if row.detail.as_object().is_some_and(|detail| !detail.is_empty()) { format!("  {}", row.detail) } else { String::new() };
    format!("{mark}{:<44} {:>12.1} {:>12.1} {:>6.2}  {} [{}]{detail}", row.what, row.ours, row.limit, row.ratio(), row.target, row.unit)
}
