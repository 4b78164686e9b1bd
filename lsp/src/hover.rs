//! Hover: why a finding matters, what to write instead, and which clause of the policy decides. Pure. Text of the
//! code is escaped; the rule's own text is ours and is Markdown.

use saferun_policy::{ClientKind, DecisionRequest, Policy, Verdict};
use saferun_scanner::{Finding, explain};
use tower_lsp_server::ls_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position};

use crate::{document::Found, position::Encoding, text::markdown};

/// Findings told of in one hover.
const MOST: usize = 4;

/// The hover at a position, if something was found there.
pub(crate) fn at(
    found: &Found,
    position: Position,
    encoding: Encoding,
    policy: &crate::policy::Answer,
) -> Option<Hover> {
    let inside = |finding: &&Finding| {
        let range = found.index.of_scan(&found.text, finding.range, encoding);
        range.start <= position && position <= range.end
    };
    let mut here: Vec<&Finding> = found.report.findings.iter().filter(inside).collect();
    here.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let first = here.first()?;
    let range = found.index.of_scan(&found.text, first.range, encoding);
    let mut parts: Vec<String> = here.iter().take(MOST).map(|finding| one(finding)).collect();
    parts.push(match policy {
        Ok(policy) => decision(found, policy),
        Err(why) => format!(
            "**Policy:** cannot be read, so nothing runs: {}",
            markdown(why)
        ),
    });
    Some(Hover {
        contents: HoverContents::Markup(MarkupContent {
            kind: MarkupKind::Markdown,
            value: parts.join("\n\n---\n\n"),
        }),
        range: Some(range),
    })
}

fn one(finding: &Finding) -> String {
    let mut text = format!(
        "**{} {}** · {}\n\n{}",
        finding.level,
        finding.rule,
        finding.name,
        markdown(&finding.message)
    );
    if let Some(doc) = explain(&finding.rule) {
        text.push_str("\n\n");
        text.push_str(doc.rule.why);
        text.push_str("\n\n**Instead:** ");
        text.push_str(doc.rule.safer);
    }
    if let Some(cwe) = finding.cwe {
        use std::fmt::Write as _;
        let _ = write!(
            text,
            "\n\n[CWE-{cwe}](https://cwe.mitre.org/data/definitions/{cwe}.html)"
        );
    }
    for step in finding.evidence.iter().take(8) {
        text.push_str("\n- line ");
        text.push_str(&step.range.start.line.to_string());
        text.push_str(": ");
        text.push_str(&markdown(&step.message));
    }
    text
}

fn decision(found: &Found, policy: &Policy) -> String {
    let request = DecisionRequest {
        client: ClientKind::Editor,
        // The daemon knows what the host offers; the clause is the same either way.
        gvisor_available: true,
        ..DecisionRequest::default()
    };
    let decision = policy.decide(&found.report, &request);
    let verdict = match decision.verdict {
        Verdict::Allow => "this file runs",
        Verdict::AllowStricter => {
            "this file runs, in the stricter sandbox (gVisor) where the host has it"
        }
        Verdict::NeedsOverride => "this file runs once you give a reason",
        Verdict::Refuse => "this file does not run",
    };
    let mut text = format!("**Policy:** {verdict}");
    if let Some(clause) = decision.reasons.first() {
        text.push_str(", because of ");
        text.push_str(&markdown(&clause.key));
        let file = &clause.origin.file;
        if !file.is_empty() {
            text.push_str(" in ");
            text.push_str(&markdown(file));
            if clause.origin.line > 0 {
                text.push_str(", line ");
                text.push_str(&clause.origin.line.to_string());
            }
        }
        text.push_str(": ");
        text.push_str(&markdown(&clause.text));
    }
    text
}
