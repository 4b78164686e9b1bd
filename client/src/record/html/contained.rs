//! What held the run, and where its record stands: limits, sandbox, chain.

use saferun_protocol::{RunRecord, RunResult};

use super::ran;
use crate::{
    record::{
        escape::Html,
        evidence::{Fact, facts, stages},
        times::shown_with_offset,
        words::{name, receipt},
    },
    units::{show_bytes, show_ms},
};

#[expect(clippy::cast_precision_loss, reason = "times and shares for a person")]
pub(super) fn limits(html: &mut Html, result: &RunResult) {
    let (limits, usage) = (&result.limits, &result.usage);
    html.raw("<h2>What it was allowed, and what it used</h2><table><thead><tr><th></th><th>Allowed</th><th>Used</th></tr></thead><tbody>");
    let mut row = |label: &'static str, allowed: &str, used: &str| {
        html.raw("<tr><th>")
            .raw(label)
            .raw("</th><td>")
            .text(allowed)
            .raw("</td><td>")
            .text(used)
            .raw("</td></tr>");
    };
    let used = |text: Option<String>| text.unwrap_or_else(|| "not measured".to_owned());
    let did = ran(result);
    let wall = did.then(|| show_ms(usage.wall_ms));
    let memory = usage.peak_memory_bytes.map(show_bytes);
    row("Time", &show_ms(limits.time_ms as f64), &used(wall));
    row("Memory", &show_bytes(limits.memory_bytes), &used(memory));
    row(
        "Processor",
        &format!("{} of one processor", limits.cpu_millis as f64 / 1000.0),
        &used(
            usage
                .cpu_ms
                .map(|ms| format!("{} of its time", show_ms(ms))),
        ),
    );
    row(
        "Processes and threads at once",
        &limits.pids.to_string(),
        "",
    );
    row(
        "Room in each writable folder",
        &show_bytes(limits.tmpfs_bytes),
        "",
    );
    row(
        "Output kept of each stream",
        &show_bytes(limits.output_bytes),
        "",
    );
    html.raw("</tbody></table>");
    if !limits.not_enforced.is_empty() {
        html.raw("<p>This machine could not hold: ")
            .text(&limits.not_enforced.join(", "))
            .raw("</p>");
    }
}

/// Where the time went: what the run itself took apart from what it waited for.
pub(super) fn timing(html: &mut Html, result: &RunResult) {
    rows(
        html,
        "<h2>Where the time went</h2><p>Only the running counts against the time limit.</p>",
        stages(&result.timing),
    );
}

/// What the outcome rests on.
pub(super) fn evidence(html: &mut Html, result: &RunResult) {
    rows(
        html,
        "<h2>How the end is known</h2><p>What was seen when the run was over. The first lines of this page follow from it.</p>",
        facts(result),
    );
}

fn rows(html: &mut Html, title: &'static str, facts: Vec<Fact>) {
    if facts.is_empty() {
        return;
    }
    html.raw(title).raw("<table><tbody>");
    for (label, text) in facts {
        html.raw("<tr><th class=cap>")
            .raw(label)
            .raw("</th><td>")
            .text(&text)
            .raw("</td></tr>");
    }
    html.raw("</tbody></table>");
}

pub(super) fn sandbox(html: &mut Html, result: &RunResult) {
    let sandbox = &result.sandbox;
    html.raw("<h2>How it was contained</h2>");
    if sandbox.attestation.is_empty() {
        html.raw("<p>No sandbox was used, or it was not read back.</p>");
        return;
    }
    html.raw("<p>Before the code was handed over, SafeRun read the sandbox&rsquo;s settings back from the system and compared each with what it must be.</p><table><tbody>");
    for (label, value) in [
        ("Container engine", &sandbox.engine),
        ("Isolation", &sandbox.runtime),
        ("Image", &sandbox.variant),
        ("Image id", &sandbox.image),
        ("Container", &sandbox.container),
    ] {
        html.raw("<tr><th>")
            .raw(label)
            .raw("</th><td>")
            .text(value)
            .raw("</td></tr>");
    }
    html.raw("</tbody></table><table><thead><tr><th>Setting</th><th>As it was read back</th><th>Seen from</th></tr></thead><tbody>");
    for field in &sandbox.attestation {
        html.raw("<tr><td class=mono>")
            .text(&field.name)
            .raw("</td><td class=mono>")
            .text(&field.value)
            .raw("</td><td>")
            .text(&name(field.witness).replace('_', " "))
            .raw("</td></tr>");
    }
    html.raw("</tbody></table>");
}

pub(super) fn integrity(html: &mut Html, id: &str, record: &RunRecord) {
    html.raw("<h2>Where this record stands</h2><p>Each run is two entries in a chain in which each entry carries the fingerprint of the one before, so that a change to one would show in all that follow. This page is a copy: the command <code>saferunctl history verify</code> checks the chain itself.</p><table><tbody>");
    let mut row = |label: &'static str, value: &str| {
        html.raw("<tr><th>")
            .raw(label)
            .raw("</th><td class=mono>")
            .text(value)
            .raw("</td></tr>");
    };
    row("Run", id);
    row("Began", &shown_with_offset(record.started_ms));
    row(
        "End recorded",
        &record
            .ended_ms
            .map_or_else(|| "not yet".to_owned(), shown_with_offset),
    );
    if let Some(receipt) = receipt(record) {
        row("Cleaning up", receipt);
    }
    row("Fingerprint of the code (SHA-256)", &record.code_sha256);
    if let Some(result) = &record.result {
        row("Fingerprint of the policy", &result.policy_hash);
    }
    row("Place in the chain", &record.seq.to_string());
    row("Entry of the start", &record.start_hash);
    if let Some(hash) = &record.end_hash {
        row("Entry of the end", hash);
    }
    if !record.args.is_empty() {
        row("Arguments", &record.args.join(" "));
    }
    if !record.dropped_bodies.is_empty() {
        row("No longer kept", &record.dropped_bodies.join(", "));
    }
    html.raw("</tbody></table><footer>Written by saferunctl ")
        .raw(env!("CARGO_PKG_VERSION"))
        .raw(". Characters that control a terminal or hide from the eye are shown as <span class=c>\\u{202e}</span>.</footer>");
}
