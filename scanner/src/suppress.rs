//! Suppression comments: `# saferun: ignore[SR101, SR203] reason`. A reason is mandatory; what is silenced stays in
//! the report.

use crate::locate::Lines;
use crate::scan::at_place;
use crate::syntax::Remark;
use crate::{Options, Report, Suppressed};

struct Order {
    rules: Vec<String>,
    reason: String,
    line: u32,
    /// The comment stands on a line of its own and speaks of the next one.
    alone: bool,
}

/// Takes silenced findings out of the report and puts them among the suppressed ones.
pub(crate) fn apply(
    source: &str,
    remarks: &[Remark],
    lines: &Lines<'_>,
    options: &Options,
    report: &mut Report,
) {
    let mut orders: Vec<Order> = Vec::new();
    for remark in remarks {
        let Some(order) = parse(source, *remark, lines) else {
            continue;
        };
        if order.reason.is_empty() {
            let bytes = (remark.start, remark.end);
            report
                .findings
                .push(at_place("SR004", bytes, lines, None, None));
        } else {
            orders.push(order);
        }
    }
    if !options.honour_suppressions || orders.is_empty() {
        return;
    }
    let findings = std::mem::take(&mut report.findings);
    for finding in findings {
        let order = orders.iter().find(|order| {
            let first = finding.range.start.line;
            let last = finding.range.end.line;
            let here = (first..=last).contains(&order.line);
            let below = order.alone && order.line + 1 == first;
            (here || below)
                && order
                    .rules
                    .iter()
                    .any(|rule| rule.eq_ignore_ascii_case(&finding.rule) || *rule == finding.name)
        });
        match order {
            // Nobody can vouch for what was not analysed.
            Some(order) if finding.rule != "SR003" => {
                report.suppressed.push(Suppressed {
                    finding,
                    reason: order.reason.clone(),
                });
            }
            _ => report.findings.push(finding),
        }
    }
}

fn parse(source: &str, remark: Remark, lines: &Lines<'_>) -> Option<Order> {
    let text = source.get(remark.start..remark.end)?;
    let order = text
        .split_once("saferun:")?
        .1
        .trim_start()
        .strip_prefix("ignore")?;
    let (rules, reason) = match order.trim_start().strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", ""),
    };
    let before = source[..remark.start].rsplit('\n').next().unwrap_or("");
    Some(Order {
        rules: rules
            .split(',')
            .map(|rule| rule.trim().to_owned())
            .collect(),
        reason: reason.trim_start_matches(['-', ':', ' ']).trim().to_owned(),
        line: lines.line(remark.start),
        alone: before.trim().is_empty(),
    })
}
