//! Jupyter notebooks: the code cells are scanned together, since they share their names, and mapped back to cells.

use serde_json::Value;

use super::magic;
use super::positions::{Lines, relocate};
use super::{FileReport, SourceKind, document};
use crate::shell;
use crate::{Level, Options, Position, Report};

/// A code cell with its place in the scanned text.
struct Placed {
    /// Number of the cell in the notebook, from 1, all kinds counted.
    number: u32,
    /// First line of the cell in the scanned text, from 1.
    first: u32,
    source: String,
    python: String,
}

/// Scans a notebook.
pub(super) fn scan(text: &str, options: &Options) -> FileReport {
    let mut file = FileReport {
        name: String::new(),
        kind: SourceKind::Notebook,
        encoding: String::new(),
        notes: Vec::new(),
        report: Report::default(),
        texts: Vec::new(),
        blocks: 0,
    };
    let cells = match sources(text) {
        Ok(cells) => cells,
        Err(why) => {
            let message = format!("the notebook cannot be read: {why}");
            file.report.findings.push(document::of_file(
                ("SR956", "broken-notebook"),
                Level::High,
                message,
            ));
            file.texts.push(text.to_owned());
            return file;
        }
    };
    let mut placed = Vec::new();
    let mut whole = String::new();
    let mut line = 1_u32;
    let mut shells = Vec::new();
    for (number, source, code) in cells {
        file.texts.push(source.clone());
        if !code {
            continue;
        }
        file.blocks += 1;
        let cell = magic::split(&source);
        for found in &cell.shell {
            for judged in shell::judge(&found.text) {
                let mut finding = document::of_shell(&judged, &source, (found.start, found.end));
                finding.cell = Some(number);
                shells.push(finding);
            }
        }
        if let Some(language) = &cell.foreign {
            let message = format!(
                "a cell in another language or of an unknown magic, `%%{language}`, is not analysed"
            );
            let mut finding = document::of_file(("SR957", "foreign-cell"), Level::Medium, message);
            finding.cell = Some(number);
            shells.push(finding);
        }
        let mut python = cell.python;
        if !python.ends_with('\n') {
            python.push('\n');
        }
        let lines = u32::try_from(python.matches('\n').count()).unwrap_or(u32::MAX);
        placed.push(Placed {
            number,
            first: line,
            source,
            python: python.clone(),
        });
        whole.push_str(&python);
        line = line.saturating_add(lines);
    }
    let mut report = crate::scan(&whole, options);
    document::add_python2(&mut report, &whole);
    if report
        .findings
        .iter()
        .any(|finding| finding.name.contains("syntax"))
    {
        alone(&placed, &whole, options, &mut report);
    }
    back(&mut report, &placed);
    for cell in &placed {
        let mut secrets = Report {
            findings: on_cell(&report, cell.number),
            ..Report::default()
        };
        let known = secrets.findings.len();
        document::add_secrets(&mut secrets, &cell.source);
        for mut finding in secrets.findings.drain(known..) {
            finding.cell = Some(cell.number);
            report.findings.push(finding);
        }
    }
    report.findings.extend(shells);
    file.report = report;
    file
}

fn on_cell(report: &Report, number: u32) -> Vec<crate::Finding> {
    report
        .findings
        .iter()
        .filter(|finding| finding.cell == Some(number))
        .cloned()
        .collect()
}

/// A cell that breaks the syntax must not hide the others: each is scanned by itself as well.
fn alone(placed: &[Placed], whole: &str, options: &Options, report: &mut Report) {
    let lines = Lines::new(whole);
    for cell in placed {
        let mut single = crate::scan(&cell.python, options);
        relocate(&mut single, |position| {
            (
                Position {
                    line: position.line + cell.first - 1,
                    ..position
                },
                None,
            )
        });
        for mut finding in single.findings {
            let known = report.findings.iter().any(|other| {
                other.rule == finding.rule && other.range.start == finding.range.start
            });
            if !known {
                finding.bytes = (
                    lines.offset(finding.range.start),
                    lines.offset(finding.range.end),
                );
                report.findings.push(finding);
            }
        }
        report.incomplete |= single.incomplete;
    }
}

/// Moves positions from the joined text to the cells.
fn back(report: &mut Report, placed: &[Placed]) {
    let cell_of = |line: u32| placed.iter().rev().find(|cell| cell.first <= line);
    relocate(report, |position| match cell_of(position.line) {
        Some(cell) => (
            Position {
                line: position.line - cell.first + 1,
                ..position
            },
            Some(cell.number),
        ),
        None => (position, None),
    });
    let suppressed = report
        .suppressed
        .iter_mut()
        .map(|suppressed| &mut suppressed.finding);
    for finding in report.findings.iter_mut().chain(suppressed) {
        let Some(cell) = placed.iter().find(|cell| Some(cell.number) == finding.cell) else {
            continue;
        };
        let lines = Lines::new(&cell.source);
        finding.bytes = (
            lines.offset(finding.range.start),
            lines.offset(finding.range.end),
        );
    }
}

/// Number, text and whether it is code, for each cell.
fn sources(text: &str) -> Result<Vec<(u32, String, bool)>, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let sheets = value.get("worksheets").and_then(|sheets| sheets.get(0));
    let cells = value
        .get("cells")
        .or_else(|| sheets.and_then(|sheet| sheet.get("cells")))
        .and_then(Value::as_array)
        .ok_or("there is no list of cells")?;
    let language = value
        .pointer("/metadata/kernelspec/language")
        .or_else(|| value.pointer("/metadata/language_info/name"))
        .and_then(Value::as_str)
        .unwrap_or("python");
    if !language.eq_ignore_ascii_case("python") {
        return Err(format!("its language is {language}, not Python"));
    }
    let mut result = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        let code = cell.get("cell_type").and_then(Value::as_str) == Some("code");
        let source = match cell.get("source").or_else(|| cell.get("input")) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(lines)) => lines.iter().filter_map(Value::as_str).collect(),
            _ => String::new(),
        };
        result.push((u32::try_from(index + 1).unwrap_or(u32::MAX), source, code));
    }
    Ok(result)
}
