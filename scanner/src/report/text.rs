//! Findings for people: the sentence, the place, the line with carets, the steps of the flow, a summary.

use std::fmt::Write;

use super::escape::visible;
use super::source::excerpt;
use super::{Counts, NothingScanned, summary};
use crate::extract::FileReport;
use crate::{Finding, Level, Range};

/// How text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextOptions {
    /// Whether colours are used.
    pub color: bool,
    /// The lowest level that is shown; the summary counts all.
    pub least: Level,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self {
            color: false,
            least: Level::Low,
        }
    }
}

struct Style {
    on: bool,
}

impl Style {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.on {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn level(&self, level: Level) -> String {
        let code = match level {
            Level::Low => "36",
            Level::Medium => "33",
            Level::High => "31",
            Level::Blocked => "1;37;41",
        };
        self.paint(code, level.as_str())
    }
}

/// The report as text.
///
/// # Errors
/// [`NothingScanned`] if there was no code at all.
pub fn text(files: &[FileReport], options: TextOptions) -> Result<String, NothingScanned> {
    let counts = summary(files)?;
    let style = Style { on: options.color };
    let mut out = String::new();
    for file in files {
        let name = visible(&file.name);
        for finding in file
            .report
            .findings
            .iter()
            .filter(|finding| finding.level >= options.least)
        {
            one(&mut out, &style, file, &name, finding);
        }
        for silenced in &file.report.suppressed {
            let _ = writeln!(
                out,
                "suppressed {} {} at {}: {}\n",
                visible(&silenced.finding.rule),
                visible(&silenced.finding.name),
                place(&name, &silenced.finding, silenced.finding.range),
                visible(&silenced.reason)
            );
        }
        for note in &file.notes {
            let _ = writeln!(out, "note: {name}: {}\n", visible(note));
        }
    }
    let _ = writeln!(
        out,
        "{} {}: {}; risk {}{}{}",
        counts.files,
        if counts.files == 1 { "file" } else { "files" },
        tally(&counts.findings),
        style.level(counts.risk),
        extra(counts.suppressed, "suppressed"),
        extra(counts.incomplete, "not analysed to the end"),
    );
    Ok(out)
}

fn extra(number: usize, what: &str) -> String {
    if number == 0 {
        String::new()
    } else {
        format!("; {number} {what}")
    }
}

fn tally(counts: &Counts) -> String {
    let parts: Vec<String> = Level::ALL
        .into_iter()
        .rev()
        .filter(|level| counts.of(*level) > 0)
        .map(|level| format!("{} {level}", counts.of(level)))
        .collect();
    if parts.is_empty() {
        "no findings".to_owned()
    } else {
        parts.join(", ")
    }
}

fn place(name: &str, finding: &Finding, range: Range) -> String {
    let cell = finding
        .cell
        .map_or_else(String::new, |cell| format!("cell {cell}:"));
    format!("{name}:{cell}{}:{}", range.start.line, range.start.column)
}

fn one(out: &mut String, style: &Style, file: &FileReport, name: &str, finding: &Finding) {
    let source = file.text_of(finding);
    let number = finding.range.start.line.to_string();
    let gutter = " ".repeat(number.len());
    let bar = style.paint("34", "|");
    let _ = writeln!(
        out,
        "{} {} {}: {}",
        style.level(finding.level),
        visible(&finding.rule),
        visible(&finding.name),
        visible(&finding.message)
    );
    let arrow = style.paint("34", "-->");
    let _ = writeln!(
        out,
        "{gutter}{arrow} {}",
        place(name, finding, finding.range)
    );
    if let Some(excerpt) = excerpt(source, finding.range) {
        let marks = style.paint("31", excerpt.marks.trim_start());
        let lead = excerpt.marks.len() - excerpt.marks.trim_start().len();
        let _ = writeln!(out, "{gutter} {bar}");
        let _ = writeln!(out, "{} {bar} {}", style.paint("34", &number), excerpt.line);
        let _ = writeln!(out, "{gutter} {bar} {}{marks}", " ".repeat(lead));
    }
    for (index, step) in finding.evidence.iter().enumerate() {
        let line = excerpt(source, step.range).map(|excerpt| excerpt.line.trim().to_owned());
        let _ = writeln!(
            out,
            "{gutter} = step {}, {}: {}{}",
            index + 1,
            place(name, finding, step.range),
            visible(&step.message),
            line.map_or_else(String::new, |line| format!("\n{gutter}     {line}"))
        );
    }
    out.push('\n');
}
