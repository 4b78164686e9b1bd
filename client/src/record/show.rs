//! `show`: everything that is recorded of one run, for a terminal.

use std::fmt::Write as _;

use saferun_protocol::{ApiClient, Finding, Position, Risk, RunRecord, RunResult};
use saferun_scanner::report::excerpt;

use super::{
    evidence::{facts as evidence, stages},
    explain,
    find::find,
    times::shown,
    words::{name, receipt},
};
use crate::{
    args::{Global, ShowArgs},
    daemon,
    failure::Failure,
    run::{sentence, told_after},
    ui::{self, Paint, json, one_line},
    units::{show_bytes, show_ms},
};

/// Shows a run.
pub(crate) async fn show(args: &ShowArgs, global: &Global) -> Result<u8, Failure> {
    let client = daemon::reach(global.may_start()).await?;
    let id = find(&client, &args.id).await?;
    let record = client.record(id.clone()).await?;
    if args.json {
        ui::line(json(&record));
    } else {
        ui::out(text(&id, &record, Paint::stdout()));
    }
    Ok(0)
}

/// Writing to a String does not fail: the results of `write!` say nothing here.
struct Page {
    out: String,
    paint: Paint,
}

impl Page {
    fn row(&mut self, label: &str, text: impl AsRef<str>) {
        let label = self.paint.dim(&format!("{label:<11}"));
        let _ = writeln!(self.out, "  {label} {}", text.as_ref());
    }

    fn head(&mut self, text: &str) {
        let _ = writeln!(self.out, "\n{}", self.paint.good(text));
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }
}

fn text(id: &str, record: &RunRecord, paint: Paint) -> String {
    let mut page = Page {
        out: format!("run {}\n", one_line(id)),
        paint,
    };
    facts(&mut page, record);
    let judged = record.result.as_ref().filter(|_| explain::judged(record));
    if let Some(result) = judged {
        account(&mut page, result);
    }
    if let Some(receipt) = receipt(record) {
        page.row("cleaned up", receipt);
    }
    page.row("chain", chain(record));
    if let Some(result) = judged {
        findings(&mut page, record, result);
    }
    source(&mut page, record);
    if let Some(result) = judged {
        story(&mut page, result);
        output(&mut page, record, result);
    }
    page.out
}

fn facts(page: &mut Page, record: &RunRecord) {
    let words = explain::outcome(record);
    page.row("outcome", &words.headline);
    if let Some(result) = record.result.as_ref().filter(|_| record.ended_ms.is_some()) {
        page.row("", sentence(result));
    }
    page.row("", &words.meaning);
    if let Some(next) = &words.next {
        page.row("next", next);
    }
    page.row("script", one_line(&record.file_name));
    page.row("code", format!("sha256 {}", one_line(&record.code_sha256)));
    let ended = record.ended_ms.map_or_else(
        || "no end is recorded".to_owned(),
        |ended| format!("recorded as ended {}", shown(ended)),
    );
    page.row("began", format!("{}, {ended}", shown(record.started_ms)));
    page.row(
        "asked by",
        format!("uid {}, {}", record.uid, name(record.client)),
    );
    for (index, arg) in record.args.iter().enumerate() {
        page.row(if index == 0 { "arguments" } else { "" }, one_line(arg));
    }
    for (index, (key, value)) in record.env.iter().enumerate() {
        page.row(
            if index == 0 { "variables" } else { "" },
            format!("{}={}", one_line(key), one_line(value)),
        );
    }
    if record.stdin_streamed {
        page.row("input", "came while it ran, and is not recorded");
    } else if let Some(stdin) = &record.stdin_base64 {
        page.row(
            "input",
            format!(
                "{} came with the request",
                show_bytes(stdin.len() as u64 / 4 * 3)
            ),
        );
    }
    for (index, (path, hash)) in record.files.iter().enumerate() {
        page.row(
            if index == 0 { "files" } else { "" },
            format!("{} sha256 {}", one_line(path), one_line(hash)),
        );
    }
    for (index, clause) in record.decision.iter().enumerate() {
        page.row(if index == 0 { "decision" } else { "" }, one_line(clause));
    }
    if let Some(reason) = &record.override_reason {
        page.row("override", one_line(reason));
    }
    if record.redactions > 0 {
        page.row(
            "redacted",
            format!("secrets were blanked out {} times", record.redactions),
        );
    }
    if !record.dropped_bodies.is_empty() {
        page.row(
            "not kept",
            format!(
                "{} (dropped after the policy's retention)",
                one_line(&record.dropped_bodies.join(", "))
            ),
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "times and shares for a person")]
fn account(page: &mut Page, result: &RunResult) {
    page.row(
        "policy",
        format!(
            "{}, sha256 {}",
            one_line(&result.policy),
            one_line(result.policy_hash.trim_start_matches("sha256:"))
        ),
    );
    for warning in &result.policy_warnings {
        page.row("", one_line(warning));
    }
    let limits = &result.limits;
    page.row(
        "limits",
        format!(
            "{}, {} memory, {} CPUs, {} tasks, {} a folder, {} output",
            show_ms(limits.time_ms as f64),
            show_bytes(limits.memory_bytes),
            limits.cpu_millis as f64 / 1000.0,
            limits.pids,
            show_bytes(limits.tmpfs_bytes),
            show_bytes(limits.output_bytes),
        ),
    );
    if !limits.not_enforced.is_empty() {
        page.row(
            "",
            format!(
                "not held by this machine: {}",
                one_line(&limits.not_enforced.join(", "))
            ),
        );
    }
    let usage = &result.usage;
    let cpu = usage
        .cpu_ms
        .map_or(String::new(), |ms| format!(", {} CPU", show_ms(ms)));
    let memory = usage.peak_memory_bytes.map_or(String::new(), |bytes| {
        format!(", {} at most", show_bytes(bytes))
    });
    page.row("used", format!("{}{cpu}{memory}", show_ms(usage.wall_ms)));
    seen(page, result);
    let sandbox = &result.sandbox;
    if !sandbox.image.is_empty() {
        page.row(
            "sandbox",
            format!(
                "{}, {}, image {} {}",
                one_line(&sandbox.engine),
                one_line(&sandbox.runtime),
                one_line(&sandbox.variant),
                one_line(&sandbox.image)
            ),
        );
    }
    if !sandbox.attestation.is_empty() {
        page.row(
            "attested",
            format!(
                "{} settings were read back (--json lists them)",
                sandbox.attestation.len()
            ),
        );
    }
    let effects = result.effects.as_ref().map(|effects| &effects.changes[..]);
    for (index, change) in effects.unwrap_or_default().iter().enumerate() {
        page.row(
            if index == 0 { "changes" } else { "" },
            format!(
                "{} {} in {}",
                name(change.kind),
                one_line(&change.path),
                name(change.place)
            ),
        );
    }
    for (index, artifact) in result.artifacts.iter().enumerate() {
        page.row(
            if index == 0 { "artifacts" } else { "" },
            format!(
                "{}, {}",
                one_line(&artifact.path),
                show_bytes(artifact.size)
            ),
        );
    }
    if let Some(left) = result.left_behind() {
        page.row("left behind", one_line(&left));
    }
    for advice in &result.advice {
        page.row("advice", one_line(advice));
    }
    if let Some(why) = &result.unrecorded {
        page.row("unrecorded", one_line(why));
    }
}

/// Where the time went, and what the outcome rests on.
fn seen(page: &mut Page, result: &RunResult) {
    for (index, (stage, time)) in stages(&result.timing).into_iter().enumerate() {
        page.row(
            if index == 0 { "time" } else { "" },
            format!("{time} {stage}"),
        );
    }
    for (index, (label, text)) in evidence(result).into_iter().enumerate() {
        let label = if index == 0 {
            ("evidence", label)
        } else {
            ("", label)
        };
        page.row(label.0, format!("{}: {}", label.1, one_line(&text)));
    }
}

fn chain(record: &RunRecord) -> String {
    let end = record
        .end_hash
        .as_ref()
        .map_or(String::new(), |hash| format!(", end {}", one_line(hash)));
    format!(
        "event {}, start {}{end}",
        record.seq,
        one_line(&record.start_hash)
    )
}

fn findings(page: &mut Page, record: &RunRecord, result: &RunResult) {
    let count = match result.findings.len() {
        0 => "no findings".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    page.head(&format!("risk {}, {count}", result.risk));
    for finding in &result.findings {
        one(page, record.source.as_deref().unwrap_or_default(), finding);
    }
    for words in explain::rules(&result.findings) {
        let _ = writeln!(
            page.out,
            "{}: {}\n  instead: {}",
            words.rule,
            words.why,
            words.safer.replace('\n', "\n    ")
        );
    }
}

fn one(page: &mut Page, source: &str, finding: &Finding) {
    let level = finding.level.to_string();
    let level = match finding.level {
        Risk::Low => level,
        Risk::Medium => page.paint.warn(&level),
        Risk::High | Risk::Blocked => page.paint.bad(&level),
    };
    let start = finding.range.start;
    let _ = writeln!(
        page.out,
        "{level} {} {}: {}",
        one_line(&finding.rule),
        one_line(&finding.name),
        one_line(&finding.message)
    );
    let number = start.line.to_string();
    let gutter = " ".repeat(number.len());
    let _ = writeln!(
        page.out,
        "{gutter}--> line {number}, column {}",
        start.column
    );
    if let Some(excerpt) = excerpt(source, range(finding.range)) {
        let _ = writeln!(
            page.out,
            "{gutter} |\n{number} | {}\n{gutter} | {}",
            excerpt.line, excerpt.marks
        );
    }
    for (index, step) in finding.evidence.iter().enumerate() {
        let _ = writeln!(
            page.out,
            "{gutter} = step {}, line {}: {}",
            index + 1,
            step.range.start.line,
            one_line(&step.message)
        );
    }
    page.out.push('\n');
}

/// A range of the protocol as one of the scanner.
pub(super) fn range(range: saferun_protocol::Range) -> saferun_scanner::Range {
    let position = |at: Position| saferun_scanner::Position {
        line: at.line,
        column: at.column,
    };
    saferun_scanner::Range {
        start: position(range.start),
        end: position(range.end),
    }
}

fn source(page: &mut Page, record: &RunRecord) {
    let Some(source) = &record.source else {
        page.head("source: not kept; its sha256 stands above");
        return;
    };
    page.head(if record.source_exact {
        "source, as it ran"
    } else {
        "source, not byte for byte as it ran"
    });
    let width = source.lines().count().to_string().len();
    for (index, line) in source.lines().enumerate() {
        let number = page.paint.dim(&format!("{:>width$} |", index + 1));
        let _ = writeln!(
            page.out,
            "{number} {}",
            one_line(&line.replace('\t', "    "))
        );
    }
}

/// What the trace saw, as it was told after the run.
fn story(page: &mut Page, result: &RunResult) {
    for line in told_after(result).lines() {
        match line.strip_prefix("saferunctl: ") {
            Some(title) => page.head(title),
            None => page.line(line),
        }
    }
}

fn output(page: &mut Page, record: &RunRecord, result: &RunResult) {
    if record.output_withheld {
        page.head("output: kept from whoever asked for the run, by the policy");
        return;
    }
    if !record.output_kept && record.ended_ms.is_some() {
        page.head("output: not kept");
        return;
    }
    for (title, text) in [
        ("standard output", &result.stdout),
        ("standard error", &result.stderr),
    ] {
        if text.is_empty() {
            continue;
        }
        page.head(title);
        // Colours are shown as text, too: what is recorded is read here, not performed.
        for line in text.lines() {
            page.line(&one_line(&line.replace('\t', "    ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_recorded_is_shown_and_nothing_reaches_the_terminal_raw() {
        let record = super::super::sample::record();
        let id = record.result.as_ref().unwrap().id.clone();
        let text = text(&id, &record, Paint::plain());
        insta::with_settings!({filters => vec![(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[time]")]}, {
            insta::assert_snapshot!(text);
        });
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
}
