//! `export --html`: one page for a person who knows nothing of sandboxes. No script, nothing loaded from anywhere. Pure.

use saferun_protocol::{Finding, Outcome, Risk, RunRecord, RunResult};

use super::{
    escape::Html,
    explain::{self, OutcomeWords, RuleWords},
    times::shown_with_offset,
    words::name,
};
use crate::units::{show_bytes, show_ms};

/// Most of each stream that is shown; the JSON report has all that was kept.
const SHOWN: usize = 128 * 1024;
/// Most changes that are listed.
const CHANGES: usize = 200;
/// Most lines of a finding's excerpt.
const EXCERPT: u32 = 6;

/// The page.
pub(super) fn page(id: &str, record: &RunRecord) -> String {
    let words = explain::outcome(record);
    let mut html = Html::begin(
        "SafeRun report: ",
        &record.file_name,
        include_str!("report.css"),
    );
    head(&mut html, record, &words);
    about(&mut html, record);
    let judged = record.result.as_ref().filter(|_| explain::judged(record));
    if let Some(result) = judged {
        findings(&mut html, record, result);
        decision(&mut html, record, result);
        output(&mut html, record, result);
        changes(&mut html, result);
    }
    source(&mut html, record);
    if let Some(result) = judged {
        limits(&mut html, result);
        sandbox(&mut html, result);
    }
    integrity(&mut html, id, record);
    html.end()
}

fn head(html: &mut Html, record: &RunRecord, words: &OutcomeWords) {
    let title = if record.file_name.is_empty() {
        "A script without a name"
    } else {
        &record.file_name
    };
    html.raw("<p class=kicker>SafeRun report</p><h1>")
        .text(title)
        .raw("</h1><div class=\"verdict ")
        .raw(tone(record))
        .raw("\"><strong>")
        .text(&words.headline)
        .raw("</strong><p>")
        .prose(&words.meaning)
        .raw("</p>");
    if let Some(why) = &words.said {
        html.raw("<p>").prose(why).raw("</p>");
    }
    if let Some(next) = &words.next {
        html.raw("<p class=soft>What to do: ")
            .prose(next)
            .raw("</p>");
    }
    html.raw("</div><dl class=facts>");
    let mut fact = |label: &'static str, value: &str| {
        html.raw("<div><dt>")
            .raw(label)
            .raw("</dt><dd>")
            .text(value)
            .raw("</dd></div>");
    };
    fact("When", &shown_with_offset(record.started_ms));
    if let Some(result) = &record.result {
        if explain::judged(record) {
            fact("Risk of the code", &result.risk.to_string());
        }
        if let Some(code) = result.exit_code {
            fact("Exit code", &code.to_string());
        }
        if ran(result) {
            fact("Took", &show_ms(result.usage.wall_ms));
        }
        if let Some(bytes) = result.usage.peak_memory_bytes {
            fact("Memory used", &show_bytes(bytes));
        }
    }
    fact(
        "Asked for by",
        &format!("{}, user {}", name(record.client), record.uid),
    );
    html.raw("</dl>");
}

fn tone(record: &RunRecord) -> &'static str {
    let result = record.result.as_ref().filter(|_| record.ended_ms.is_some());
    match result.map(|result| (result.status, result.exit_code)) {
        Some((Outcome::Completed, Some(0))) => "good",
        None | Some((Outcome::Completed | Outcome::Cancelled, _)) => "warn",
        Some(_) => "bad",
    }
}

/// Whether any of the code was executed, as far as is known.
fn ran(result: &RunResult) -> bool {
    !matches!(result.status, Outcome::Blocked | Outcome::SetupFailed)
}

fn about(html: &mut Html, record: &RunRecord) {
    let did = record.result.as_ref().is_some_and(ran);
    html.raw("<h2>What this page is</h2><p>SafeRun reads a Python program before it runs, decides by a policy whether it may, and runs it in a sandbox: a sealed-off container of its own that is thrown away afterwards. ");
    html.raw(if did {
        "This page is the record of one such run: what the code meant to do, what was decided, what it printed, and how it was contained."
    } else {
        "This page is the record of one such request. The program itself was not run."
    });
    html.raw("</p>");
}

fn meaning(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "nothing that reaches beyond the program itself",
        Risk::Medium => "it reaches beyond the program: files, other programs, or the network",
        Risk::High => "it could do harm if it ran without a sandbox",
        Risk::Blocked => "it does harm if it runs without a sandbox",
    }
}

fn findings(html: &mut Html, record: &RunRecord, result: &RunResult) {
    html.raw("<h2>What the code means to do</h2>");
    if result.findings.is_empty() {
        html.raw("<p>SafeRun read the code and found nothing worth a word. That is no proof that the code is harmless, which is why it gets a sandbox all the same.</p>");
        return;
    }
    html.raw("<p>Risk <span class=\"badge ")
        .raw(class(result.risk))
        .raw("\">")
        .text(&result.risk.to_string())
        .raw("</span>")
        .raw(meaning(result.risk))
        .raw(". Found by reading the code, not by running it. ");
    html.raw(if ran(result) {
        "When it ran it had neither a network nor any file of this machine but what was sent along with it, so none of this could reach beyond the sandbox.</p>"
    } else {
        "None of it happened.</p>"
    });
    let mut order: Vec<&Finding> = result.findings.iter().collect();
    // Stable: within a level the order is that of the source.
    order.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let words = explain::rules(&result.findings);
    for finding in order {
        let about = words.iter().find(|words| words.rule == finding.rule);
        card(html, record.source.as_deref(), finding, about);
    }
}

fn class(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "LOW",
        Risk::Medium => "MEDIUM",
        Risk::High => "HIGH",
        Risk::Blocked => "BLOCKED",
    }
}

fn card(html: &mut Html, source: Option<&str>, finding: &Finding, about: Option<&RuleWords>) {
    html.raw("<section class=card><h3><span class=\"badge ")
        .raw(class(finding.level))
        .raw("\">")
        .text(&finding.level.to_string())
        .raw("</span>")
        .prose(&finding.message)
        .raw("</h3><p class=soft>Line ")
        .text(&finding.range.start.line.to_string())
        .raw(", rule ")
        .text(&format!("{} {}", finding.rule, finding.name));
    if let Some(cwe) = finding.cwe {
        html.text(&format!(", CWE-{cwe}"));
    }
    if let Some(file) = &finding.file {
        html.raw(", in the file ").text(file);
    }
    html.raw("</p>");
    // The record has the script alone, of other files only the hashes.
    if let Some(source) = source.filter(|_| finding.file.is_none()) {
        excerpt(html, source, finding);
    }
    if !finding.evidence.is_empty() {
        html.raw("<p>How it comes about:</p><ul>");
        for step in &finding.evidence {
            html.raw("<li>line ")
                .text(&format!("{}: {}", step.range.start.line, step.message))
                .raw("</li>");
        }
        html.raw("</ul>");
    }
    if let Some(about) = about {
        html.raw("<p><b>Why it matters.</b> ")
            .prose(&about.why)
            .raw("</p><p><b>Safer.</b> ")
            .prose(&about.safer)
            .raw("</p>");
    }
    html.raw("</section>");
}

/// The lines of a finding, with the place itself marked.
fn excerpt(html: &mut Html, source: &str, finding: &Finding) {
    let (start, end) = (finding.range.start, finding.range.end);
    let last = end.line.min(start.line.saturating_add(EXCERPT - 1));
    let lines = source
        .lines()
        .zip(1_u32..)
        .skip_while(|(_, number)| *number < start.line);
    html.raw("<div class=\"code mono\">");
    for (line, number) in lines.take_while(|(_, number)| *number <= last) {
        let from = if number == start.line {
            start.column.saturating_sub(1) as usize
        } else {
            0
        };
        let to = if number == end.line {
            end.column.saturating_sub(1) as usize
        } else {
            usize::MAX
        };
        let cut = |at: usize| line.char_indices().nth(at).map_or(line.len(), |(at, _)| at);
        let (from, to) = (cut(from), cut(to.max(from)));
        html.raw("<div><span class=n>")
            .text(&number.to_string())
            .raw("</span><span class=t>")
            .code(&line[..from])
            .raw("<mark>")
            .code(&line[from..to])
            .raw("</mark>")
            .code(&line[to..])
            .raw("</span></div>");
    }
    html.raw("</div>");
}

fn decision(html: &mut Html, record: &RunRecord, result: &RunResult) {
    html.raw("<h2>What was decided</h2><p>The policy <b>")
        .text(&result.policy)
        .raw("</b> decided ");
    html.raw(if result.status == Outcome::Blocked {
        "that it may not run"
    } else if result.overridden {
        "that it may run only because somebody gave a reason"
    } else {
        "that it may run"
    });
    html.raw(".</p>");
    if !record.decision.is_empty() {
        html.raw("<ul>");
        for clause in &record.decision {
            html.raw("<li>").prose(clause).raw("</li>");
        }
        html.raw("</ul>");
    }
    if let Some(reason) = &record.override_reason {
        html.raw("<p>Reason that was given: <q>")
            .text(reason)
            .raw("</q></p>");
    }
    for warning in &result.policy_warnings {
        html.raw("<p class=soft>").prose(warning).raw("</p>");
    }
}

fn output(html: &mut Html, record: &RunRecord, result: &RunResult) {
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

/// What it would have changed, had it been let.
fn changes(html: &mut Html, result: &RunResult) {
    let Some(effects) = &result.effects else {
        return;
    };
    html.raw("<h2>What it changed inside the sandbox</h2><p>Nothing of this happened to any file outside of it.</p>");
    if effects.changes.is_empty() {
        html.raw("<p>No file.</p>");
    } else {
        html.raw("<table><thead><tr><th>What</th><th>Where</th><th>Path</th></tr></thead><tbody>");
        for change in effects.changes.iter().take(CHANGES) {
            html.raw("<tr><td>")
                .text(&name(change.kind))
                .raw("</td><td>")
                .text(&name(change.place))
                .raw("</td><td class=mono>")
                .text(&change.path)
                .raw("</td></tr>");
        }
        html.raw("</tbody></table>");
        if effects.changes.len() > CHANGES {
            html.raw("<p class=soft>The JSON report has them all.</p>");
        }
    }
    for note in &effects.notes {
        html.raw("<p class=soft>").prose(note).raw("</p>");
    }
}

fn cut(text: &str) -> (&str, usize) {
    let mut at = text.len().min(SHOWN);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    (&text[..at], text.len() - at)
}

fn source(html: &mut Html, record: &RunRecord) {
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

#[expect(clippy::cast_precision_loss, reason = "times and shares for a person")]
fn limits(html: &mut Html, result: &RunResult) {
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

fn sandbox(html: &mut Html, result: &RunResult) {
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

fn integrity(html: &mut Html, id: &str, record: &RunRecord) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::sample;

    #[test]
    fn nothing_of_the_run_becomes_markup_or_hides_from_the_eye() {
        let mut record = sample::record();
        let evil = "</pre><script>alert(1)</script>\"' onload=x \u{202e}\u{7}\u{9b}\u{200b}&amp;";
        for text in [
            &mut record.file_name,
            record.source.as_mut().unwrap(),
            record.override_reason.as_mut().unwrap(),
            &mut record.decision[0],
            &mut record.args[0],
        ] {
            evil.clone_into(text);
        }
        let result = record.result.as_mut().unwrap();
        let finding = &mut result.findings[0];
        for text in [
            &mut result.stdout,
            &mut result.stderr,
            &mut result.policy,
            &mut result.policy_hash,
            &mut result.policy_warnings[0],
            &mut finding.message,
            &mut finding.rule,
            &mut finding.name,
            &mut finding.evidence[0].message,
            &mut result.sandbox.engine,
            &mut result.sandbox.attestation[0].value,
        ] {
            evil.clone_into(text);
        }
        let page = page(evil, &record);
        assert!(!page.contains("<script"), "{page}");
        assert!(!page.contains("&amp;amp;amp;"));
        let hidden = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{200b}\u{9b}".contains(c);
        assert!(!page.contains(hidden));
        // Each element that was opened by us, and none by the run: an attribute of its own would need a tag.
        assert_eq!(
            page.matches("onload").count(),
            page.matches("&#39; onload=x").count()
        );
        assert!(page.matches("onload").count() > 15);
    }

    #[test]
    fn the_page_is_whole_and_loads_nothing() {
        let record = sample::record();
        let page = page("0193a5c4", &record);
        assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
        assert!(page.contains("default-src 'none'; style-src 'sha256-"));
        for loader in [
            "src=\"",
            "href=",
            "url(",
            "@import",
            "<link",
            "<iframe",
            "http-equiv=\"refresh",
        ] {
            assert!(!page.contains(loader), "{loader}");
        }
        for tag in [
            "div", "section", "table", "tbody", "tr", "td", "span", "pre", "ul", "li", "p", "dl",
        ] {
            let opened = page.matches(&format!("<{tag}>")).count()
                + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
        assert!(page.contains("<mark>os.system(&#39;rm -rf /"), "{page}");
        let words = explain::outcome(&record);
        assert!(page.contains(&words.headline));
    }
}
