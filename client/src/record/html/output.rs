//! What went into the run and what came out of it: its code, its output.

use saferun_protocol::{RunRecord, RunResult};

use super::ran;
use crate::{record::escape::Html, units::show_bytes};

/// Most of each stream that is shown; the JSON report has all that was kept.
const SHOWN: usize = 128 * 1024;

pub(super) fn output(html: &mut Html, record: &RunRecord, result: &RunResult) {
    if !ran(result) {
        return;
    }
    html.raw("<h2>What it printed</h2>");
    if record.output_withheld {
        html.raw("<p>The policy keeps the output from whoever asked for the run.</p>");
        return;
    }
    if !record.output_kept {
        html.raw("<p>The output was not kept.</p>");
        return;
    }
    if result.stdout.is_empty() && result.stderr.is_empty() {
        html.raw("<p>Nothing.</p>");
    }
    for (title, text) in [
        ("<p class=soft>Output</p>", &result.stdout),
        ("<p class=soft>Error output</p>", &result.stderr),
    ] {
        if text.is_empty() {
            continue;
        }
        let (start, rest) = cut(text);
        html.raw(title).raw("<pre>").code(start).raw("</pre>");
        if rest > 0 {
            html.raw("<p class=soft>")
                .text(&show_bytes(rest as u64))
                .raw(" more are in the JSON report.</p>");
        }
    }
    if result.dropped_bytes > 0 {
        html.raw("<p class=soft>It printed ")
            .text(&show_bytes(result.dropped_bytes))
            .raw(" more than is kept.</p>");
    }
}

fn cut(text: &str) -> (&str, usize) {
    let mut at = text.len().min(SHOWN);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    (&text[..at], text.len() - at)
}

pub(super) fn source(html: &mut Html, record: &RunRecord) {
    html.raw("<h2>The code</h2>");
    let Some(source) = &record.source else {
        html.raw("<p>The code itself was not kept, only its fingerprint (below).</p>");
        return;
    };
    if record.redactions > 0 {
        html.raw("<p>Passwords and the like were replaced by <code>[redacted]</code> before it was stored.</p>");
    } else if !record.source_exact {
        html.raw("<p>Characters that cannot be shown were replaced.</p>");
    }
    let findings = record.result.as_ref().map(|result| &result.findings[..]);
    let hit: std::collections::HashSet<u32> = findings
        .unwrap_or_default()
        .iter()
        .filter(|finding| finding.file.is_none())
        .map(|finding| finding.range.start.line)
        .collect();
    html.raw("<div class=\"code mono\">");
    for (line, number) in source.lines().zip(1_u32..) {
        html.raw(if hit.contains(&number) {
            "<div class=hit>"
        } else {
            "<div>"
        })
        .raw("<span class=n>")
        .text(&number.to_string())
        .raw("</span><span class=t>")
        .code(line)
        .raw("</span></div>");
    }
    html.raw("</div>");
    if !hit.is_empty() {
        html.raw("<p class=soft>Lines with a finding are shaded.</p>");
    }
}
