//! SARIF 2.1.0. Its levels have no BLOCKED, so each result carries `riskLevel` and `security-severity` as properties.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::{NothingScanned, summary};
use crate::extract::FileReport;
use crate::{Finding, Level, Range};

/// The report as a SARIF log with one run.
///
/// # Errors
/// [`NothingScanned`] if there was no code at all.
pub fn sarif(files: &[FileReport]) -> Result<String, NothingScanned> {
    summary(files)?;
    let mut rules: BTreeMap<&str, &Finding> = BTreeMap::new();
    for finding in files.iter().flat_map(all) {
        let worst = rules.entry(finding.rule.as_str()).or_insert(finding);
        // Code hosts sort by the severity of the rule: it has that of its worst result.
        if finding.level > worst.level {
            *worst = finding;
        }
    }
    let index: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(at, id)| (*id, at)).collect();
    let results: Vec<Value> = files
        .iter()
        .flat_map(|file| of_file(file, &index))
        .collect();
    let notifications: Vec<Value> = files
        .iter()
        .filter(|file| file.report.incomplete)
        .map(|file| {
            json!({
                "level": "error",
                "message": {"text": "the analysis of this file stopped at its limit"},
                "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(&file.name)}}}],
            })
        })
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "SafeRun",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules.values().map(|finding| rule(finding)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    Ok(serde_json::to_string_pretty(&log).unwrap_or_default())
}

fn all(file: &FileReport) -> impl Iterator<Item = &Finding> {
    let silenced = file
        .report
        .suppressed
        .iter()
        .map(|silenced| &silenced.finding);
    file.report.findings.iter().chain(silenced)
}

fn rule(finding: &Finding) -> Value {
    let mut tags = vec!["security".to_owned()];
    if let Some(cwe) = finding.cwe {
        tags.push(format!("external/cwe/cwe-{cwe:03}"));
    }
    json!({
        "id": finding.rule,
        "name": finding.name,
        "shortDescription": {"text": finding.name.replace('-', " ")},
        "properties": {"tags": tags, "security-severity": severity(finding.level)},
    })
}

/// The score that code hosts sort by, in the range of CVSS.
fn severity(level: Level) -> &'static str {
    match level {
        Level::Low => "2.0",
        Level::Medium => "5.0",
        Level::High => "8.0",
        Level::Blocked => "9.5",
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Low => "note",
        Level::Medium => "warning",
        Level::High | Level::Blocked => "error",
    }
}

fn of_file(file: &FileReport, index: &BTreeMap<&str, usize>) -> Vec<Value> {
    let mut seen: BTreeMap<u64, u32> = BTreeMap::new();
    let mut results: Vec<Value> = Vec::new();
    for finding in &file.report.findings {
        results.push(result(file, finding, index, &mut seen));
    }
    for silenced in &file.report.suppressed {
        let mut value = result(file, &silenced.finding, index, &mut seen);
        value["suppressions"] = json!([{"kind": "inSource", "justification": silenced.reason}]);
        results.push(value);
    }
    results
}

fn result(
    file: &FileReport,
    finding: &Finding,
    index: &BTreeMap<&str, usize>,
    seen: &mut BTreeMap<u64, u32>,
) -> Value {
    let mut value = json!({
        "ruleId": finding.rule,
        "level": level(finding.level),
        "message": {"text": finding.message},
        "locations": [location(file, finding, finding.range, None)],
        "partialFingerprints": {"saferun/v1": fingerprint(file, finding, seen)},
        "properties": {
            "riskLevel": finding.level.as_str(),
            "security-severity": severity(finding.level),
        },
    });
    if let Some(at) = index.get(finding.rule.as_str()) {
        value["ruleIndex"] = json!(at);
    }
    if let Some(cell) = finding.cell {
        value["properties"]["cell"] = json!(cell);
    }
    if !finding.evidence.is_empty() {
        let steps: Vec<Value> = finding
            .evidence
            .iter()
            .map(|step| json!({"location": location(file, finding, step.range, Some(&step.message))}))
            .collect();
        value["codeFlows"] = json!([{"threadFlows": [{"locations": steps}]}]);
    }
    value
}

fn location(file: &FileReport, finding: &Finding, range: Range, message: Option<&str>) -> Value {
    let mut value = json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri(&file.name)},
            "region": {
                "startLine": range.start.line.max(1),
                "startColumn": range.start.column.max(1),
                "endLine": range.end.line.max(range.start.line).max(1),
                "endColumn": range.end.column.max(1),
            },
        },
    });
    if let Some(cell) = finding.cell {
        value["logicalLocations"] = json!([{"name": format!("cell {cell}"), "kind": "module"}]);
    }
    if let Some(message) = message {
        value["message"] = json!({"text": message});
    }
    value
}

/// A mark that survives edits elsewhere in the file: rule, text of the line, and how often both came before.
fn fingerprint(file: &FileReport, finding: &Finding, seen: &mut BTreeMap<u64, u32>) -> String {
    let line = file
        .text_of(finding)
        .split('\n')
        .nth(finding.range.start.line.saturating_sub(1) as usize)
        .unwrap_or_default();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in finding.rule.bytes().chain([0]).chain(line.trim().bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let count = seen.entry(hash).or_default();
    *count += 1;
    format!("{hash:016x}:{count}")
}

/// A path as a relative or absolute URI reference.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let path = path.replace('\\', "/");
    if path.starts_with('/') {
        out.push_str("file://");
    } else if path
        .split('/')
        .next()
        .is_some_and(|first| first.contains(':'))
    {
        // a colon in the first part would read as a scheme
        out.push_str("./");
    }
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=:@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    if out.is_empty() {
        "stdin".to_owned()
    } else {
        out
    }
}
