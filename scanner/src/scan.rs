//! One scan from text to report: parse, analyse, then put findings into the words and positions of the public types.

use std::cmp::{Ordering, Reverse};

use tree_sitter::Tree;

use crate::engine::{Engine, Raw};
use crate::locate::Lines;
use crate::rules::catalog::Catalog;
use crate::syntax::{Lowered, Parsed, parse};
use crate::{CancelFlag, Evidence, Finding, Level, Options, Report, Usage, UsageKind, suppress};

/// Most characters of a text that are looked at for secrets; the rest is judged as code only.
const MAX_SECRET_TEXT: usize = 16 << 20;

/// Parses a text and scans it.
pub(crate) fn scan_text(source: &str, options: &Options) -> Report {
    match parse(source, None) {
        Parsed::Tree(tree) => scan_tree(source, Some(&tree), options),
        Parsed::Stopped => scan_tree(source, None, options),
    }
}

/// Scans a text with the tree that belongs to it; without one, the parser was stopped.
pub(crate) fn scan_tree(source: &str, tree: Option<&Tree>, options: &Options) -> Report {
    // Without a flag nothing can cancel it.
    scan_tree_unless(source, tree, options, None).unwrap_or_default()
}

/// Scans a text with its tree; `None` when the flag was set before the end.
pub(crate) fn scan_tree_unless(
    source: &str,
    tree: Option<&Tree>,
    options: &Options,
    cancelled: Option<&CancelFlag>,
) -> Option<Report> {
    let lines = Lines::new(source);
    let mut engine = Engine::new(options.max_steps, cancelled.cloned());
    let lowered = if let Some(tree) = tree {
        engine.analyse(tree, source)
    } else {
        engine.stopped = true;
        Lowered::default()
    };
    if engine.is_cancelled() {
        return None;
    }
    let mut report = Report::default();
    for raw in engine.findings() {
        report.findings.push(finding(&engine, raw, &lines));
    }
    add_text_findings(source, &engine, &lowered, &lines, &mut report);
    add_usages(&engine, &lines, &mut report);
    report.incomplete = engine.stopped;
    report.findings.sort_by(by_place);
    suppress::apply(source, &lowered.remarks, &lines, options, &mut report);
    Some(report)
}

/// The order of findings: by place, the highest first.
pub(crate) fn by_place(a: &Finding, b: &Finding) -> Ordering {
    let key = |one: &Finding| (one.bytes.0, Reverse(one.level));
    key(a).cmp(&key(b)).then_with(|| a.rule.cmp(&b.rule))
}

fn finding(engine: &Engine, raw: &Raw, lines: &Lines<'_>) -> Finding {
    let rule = Catalog::get().rules[usize::from(raw.rule)];
    let evidence = match raw.step {
        None => Vec::new(),
        Some(step) => engine
            .chain(step)
            .iter()
            .map(|step| {
                let (start, end, _) = engine.range_of(step.at);
                Evidence {
                    message: engine.step_text(step),
                    range: lines.range(start as usize, end as usize),
                }
            })
            .collect(),
    };
    let subject = if raw.subject == crate::syntax::ir::NONE {
        String::new()
    } else {
        engine.names.text(&engine.symbols, raw.subject)
    };
    Finding {
        rule: rule.id.to_owned(),
        name: rule.name.to_owned(),
        level: raw.level,
        message: raw.message.clone(),
        range: lines.range(raw.start as usize, raw.end as usize),
        bytes: (raw.start as usize, raw.end as usize),
        cwe: rule.cwe,
        subject,
        evidence,
        cell: None,
    }
}

/// A finding of a rule at a place in the text, with the rule's own message unless another is given.
pub(crate) fn at_place(
    id: &str,
    bytes: (usize, usize),
    lines: &Lines<'_>,
    level: Option<Level>,
    message: Option<String>,
) -> Finding {
    let catalog = Catalog::get();
    let rule = catalog.rules[usize::from(catalog.rule(id))];
    Finding {
        rule: rule.id.to_owned(),
        name: rule.name.to_owned(),
        level: level.unwrap_or(rule.level),
        message: message.unwrap_or_else(|| rule.message.to_owned()),
        range: lines.range(bytes.0, bytes.1),
        bytes,
        cwe: rule.cwe,
        subject: String::new(),
        evidence: Vec::new(),
        cell: None,
    }
}

/// Findings on the text itself.
fn add_text_findings(
    source: &str,
    engine: &Engine,
    lowered: &Lowered,
    lines: &Lines<'_>,
    report: &mut Report,
) {
    if engine.stopped {
        report.findings.push(at_place(
            "SR003",
            (0, source.len().min(1)),
            lines,
            None,
            None,
        ));
    }
    if let Some(bytes) = lowered.error {
        // The place of an error, not all that it swallowed.
        let end = source[bytes.0..bytes.1]
            .find('\n')
            .map_or(bytes.1, |found| bytes.0 + found);
        report
            .findings
            .push(at_place("SR001", (bytes.0, end), lines, None, None));
    }
    if let Some(bytes) = lowered.python2 {
        report
            .findings
            .push(at_place("SR002", bytes, lines, None, None));
    }
    if let Some(bytes) = hidden_character(source) {
        report
            .findings
            .push(at_place("SR006", bytes, lines, None, None));
    }
    if source.len() <= MAX_SECRET_TEXT {
        for hit in crate::secrets::find(source) {
            let bytes = (hit.start, hit.end);
            report.findings.push(at_place(
                "SR414",
                bytes,
                lines,
                Some(hit.level),
                Some(hit.message),
            ));
        }
    }
}

/// The first character that changes how the text is shown but not what it means.
fn hidden_character(source: &str) -> Option<(usize, usize)> {
    // All of them start with this byte in UTF-8, which few texts hold.
    if !source.as_bytes().contains(&0xe2) {
        return None;
    }
    source
        .char_indices()
        .find(|(_, c)| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .map(|(at, c)| (at, at + c.len_utf8()))
}

fn add_usages(engine: &Engine, lines: &Lines<'_>, report: &mut Report) {
    let mut usages: Vec<Usage> = Vec::with_capacity(engine.usages().len());
    let mut raws = engine.usages().to_vec();
    // A longer name or a call at the same start says all that a part of it would.
    raws.sort_by_key(|raw| (raw.start, Reverse(raw.end)));
    let mut called: Option<(u32, u32)> = None;
    for raw in raws {
        if raw.kind == UsageKind::Attribute {
            if called.is_some_and(|(start, end)| start == raw.start && raw.end <= end) {
                continue;
            }
            called = Some((raw.start, raw.end));
        } else if raw.kind == UsageKind::Call {
            called = Some((raw.start, raw.end));
        }
        usages.push(Usage {
            kind: raw.kind,
            name: engine.names.text(&engine.symbols, raw.name),
            range: lines.range(raw.start as usize, raw.end as usize),
        });
    }
    for (path, start, end) in engine.path_usages() {
        usages.push(Usage {
            kind: UsageKind::Path,
            name: path.to_string(),
            range: lines.range(*start as usize, *end as usize),
        });
    }
    usages.sort_by_key(|usage| usage.range);
    report.usages = usages;
}
