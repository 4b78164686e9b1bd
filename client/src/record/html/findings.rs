//! What the code means to do, and what the policy made of that.

use saferun_protocol::{Finding, Outcome, Risk, RunRecord, RunResult};

use super::{ran, story::mark};
use crate::record::{
    escape::Html,
    explain::{self, RuleWords},
};

/// Most lines of a finding's excerpt.
const EXCERPT: u32 = 6;

pub(super) fn findings(html: &mut Html, record: &RunRecord, result: &RunResult) {
    html.raw("<h2>What the code means to do</h2>");
    if result.findings.is_empty() {
        html.raw("<p>SafeRun read the code and found nothing to warn of. That is no proof that the code is harmless, which is why it gets a sandbox all the same.</p>");
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

fn meaning(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "nothing that reaches beyond the program itself",
        Risk::Medium => "it reaches beyond the program: files, other programs, or the network",
        Risk::High => "it could do harm if it ran without a sandbox",
        Risk::Blocked => "it does harm if it runs without a sandbox",
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
    mark(html, finding.observed);
    // The record has the script alone, of other files only the hashes.
    if let Some(source) = source.filter(|_| finding.file.is_none()) {
        excerpt(html, source, finding);
    }
    if !finding.evidence.is_empty() {
        html.raw("<p>How it comes about:</p><ul>");
        for step in &finding.evidence {
            html.raw("<li>line ")
                .prose(&format!("{}: {}", step.range.start.line, step.message))
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

pub(super) fn decision(html: &mut Html, record: &RunRecord, result: &RunResult) {
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
            let (key, text) = clause.split_once(": ").unwrap_or(("", clause));
            html.raw("<li>").prose(text);
            if !key.is_empty() {
                html.raw(" <span class=soft>(said by <code>")
                    .text(key)
                    .raw("</code> in the policy)</span>");
            }
            html.raw("</li>");
        }
        html.raw("</ul>");
    }
    // Where it decided, it stands in the box at the top.
    if let Some(reason) = record
        .override_reason
        .as_ref()
        .filter(|_| !result.overridden)
    {
        html.raw("<p>Reason that was given: <q>")
            .text(reason)
            .raw("</q></p>");
    }
    for warning in &result.policy_warnings {
        html.raw("<p class=soft>").prose(warning).raw("</p>");
    }
}
