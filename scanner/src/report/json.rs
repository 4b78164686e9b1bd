//! The stable JSON shape: files with their findings, lines and columns from 1, and a summary.

use serde::Serialize;

use super::{NothingScanned, Summary, summary};
use crate::extract::FileReport;
use crate::{Evidence, Finding, Level, Range};

#[derive(Serialize)]
struct Document<'a> {
    files: Vec<File<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
struct File<'a> {
    path: &'a str,
    risk: Level,
    findings: Vec<Row<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressed: Vec<Silenced<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    incomplete: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    rule: &'a str,
    name: &'a str,
    level: Level,
    message: &'a str,
    range: Range,
    cwe: Option<u32>,
    evidence: &'a [Evidence],
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<u32>,
    #[serde(skip_serializing_if = "str::is_empty")]
    subject: &'a str,
}

#[derive(Serialize)]
struct Silenced<'a> {
    reason: &'a str,
    finding: Row<'a>,
}

impl<'a> From<&'a Finding> for Row<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            rule: &finding.rule,
            name: &finding.name,
            level: finding.level,
            message: &finding.message,
            range: finding.range,
            cwe: finding.cwe,
            evidence: &finding.evidence,
            cell: finding.cell,
            subject: &finding.subject,
        }
    }
}

/// The report as one JSON object, indented.
///
/// # Errors
/// [`NothingScanned`] if there was no code at all.
pub fn json(files: &[FileReport]) -> Result<String, NothingScanned> {
    let document = Document {
        summary: summary(files)?,
        files: files
            .iter()
            .map(|file| File {
                path: &file.name,
                risk: file.risk(),
                findings: file.report.findings.iter().map(Row::from).collect(),
                suppressed: file
                    .report
                    .suppressed
                    .iter()
                    .map(|silenced| Silenced {
                        reason: &silenced.reason,
                        finding: Row::from(&silenced.finding),
                    })
                    .collect(),
                notes: &file.notes,
                incomplete: file.report.incomplete,
            })
            .collect(),
    };
    // a tree of texts and numbers always has a JSON form
    Ok(serde_json::to_string_pretty(&document).unwrap_or_default())
}
