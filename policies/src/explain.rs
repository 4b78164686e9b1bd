//! Says which clause decided and what would change it, for a person and for a program.

use std::fmt;

use saferun_scanner::{Level, Report};
use serde::{Deserialize, Serialize};

use crate::action::Gate;
use crate::decide::{MISSING_GVISOR, level_key};
use crate::decision::{Clause, Decision, DecisionRequest, Runtime, Verdict};
use crate::diagnostic::clean;
use crate::origin::{LayerKind, Origin};
use crate::policy::Policy;
use crate::presets::{preset, preset_names};

/// Clauses that are written out; the rest is counted.
const SHOWN: usize = 8;
/// Presets that a person may think of.
const COMPARED: usize = 4;

/// A decision with what a person wants to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The decision itself.
    pub decision: Decision,
    /// One sentence.
    pub headline: String,
    /// Each clause that spoke, the deciding one first.
    pub points: Vec<Point>,
    /// Clauses beyond those.
    pub more: usize,
    /// What made the risk what it is, where nothing of it stops the run; the first few findings.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub found: Vec<String>,
    /// What would change the answer as a whole.
    pub changes: Vec<String>,
    /// The answer under other presets.
    pub elsewhere: Vec<(String, Verdict)>,
}

/// One clause with the line of code that it speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// The clause.
    pub clause: Clause,
    /// The line of code, without control characters.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// What would make this clause fall silent.
    pub change: String,
}

impl Policy {
    /// Explains the decision on one run. `source` is the code, for its lines; without it lines are only numbered.
    #[must_use]
    pub fn explain(
        &self,
        report: &Report,
        request: &DecisionRequest,
        source: Option<&str>,
    ) -> Explanation {
        let decision = self.decide(report, request);
        let points = decision
            .reasons
            .iter()
            .take(SHOWN)
            .map(|clause| Point {
                clause: clause.clone(),
                code: clause.code_line.and_then(|line| code_line(source?, line)),
                change: change(clause, report),
            })
            .collect();
        let elsewhere = preset_names()
            .iter()
            .take(COMPARED)
            .filter(|name| **name != self.name)
            .filter_map(|name| {
                Some((
                    (*name).to_owned(),
                    preset(name)?.decide(report, request).verdict,
                ))
            })
            .collect();
        Explanation {
            headline: headline(&decision, &self.name),
            points,
            more: decision.reasons.len().saturating_sub(SHOWN),
            found: found(&decision, report),
            changes: self.changes(&decision, request),
            elsewhere,
            decision,
        }
    }

    fn changes(&self, decision: &Decision, request: &DecisionRequest) -> Vec<String> {
        let mut changes = Vec::new();
        let spoke = |key: &str| decision.reasons.iter().any(|clause| clause.key == key);
        let first = decision
            .reasons
            .first()
            .map_or("", |first| first.text.as_str());
        if decision.verdict == Verdict::NeedsOverride {
            let text = "run it with `--override 'why it is fine'` at a terminal, or confirm it in the editor";
            changes.push(text.to_owned());
        } else if decision.verdict == Verdict::Allow
            && decision.risk >= Level::High
            && !request.gvisor_available
        {
            changes
                .push("with gVisor on this host it would run there, better closed off".to_owned());
        }
        if decision.verdict != Verdict::Refuse {
            return changes;
        }
        if first == MISSING_GVISOR {
            changes.push(
                "install gVisor and register `runsc` with the engine: `saferunctl doctor` says how"
                    .to_owned(),
            );
        } else if decision.overridable {
            changes.push("let a person run it with `--override 'why it is fine'`".to_owned());
        } else if spoke("override.allowed") {
            let origin = place(&self.origin_of("override.allowed"));
            changes.push(format!(
                "let a person decide: say `override: {{allowed: true}}` in your own policy, against {origin}"
            ));
        } else if self.action_at(decision.risk).gate == Gate::Refuse {
            let key = level_key(decision.risk);
            let origin = place(&self.origin_of(key));
            let level = decision.risk;
            let allowed = if self.override_rules.allowed {
                ""
            } else {
                " and `override: {allowed: true}`"
            };
            changes.push(format!(
                "let a person decide: say `levels: {{{level}: override}}`{allowed} in your own policy, against {origin}"
            ));
        }
        changes
    }
}

fn headline(decision: &Decision, name: &str) -> String {
    let what = match (decision.verdict, decision.overridden) {
        (Verdict::Allow, true) => format!(
            "It runs in {}, because a person gave a reason",
            sandbox(decision.runtime)
        ),
        (Verdict::Allow, false) => format!("It runs in {}", sandbox(decision.runtime)),
        (Verdict::AllowStricter, true) => {
            "It runs in the stricter sandbox (gVisor), because a person gave a reason".to_owned()
        }
        (Verdict::AllowStricter, false) => "It runs in the stricter sandbox (gVisor)".to_owned(),
        (Verdict::NeedsOverride, _) => "It does not run unless a person gives a reason".to_owned(),
        (Verdict::Refuse, _) => "It does not run".to_owned(),
    };
    format!("{what}. Risk: {}. Policy: {name}.", decision.risk)
}

/// The findings at the level of the risk, where no clause names one.
fn found(decision: &Decision, report: &Report) -> Vec<String> {
    let named = decision
        .reasons
        .iter()
        .any(|clause| clause.code_line.is_some());
    if named || decision.risk == Level::Low {
        return Vec::new();
    }
    let at = report
        .findings
        .iter()
        .filter(|one| one.level == decision.risk);
    at.take(SHOWN)
        .map(|one| {
            let (line, name) = (one.range.start.line, clean(&one.name));
            format!("line {line}: {name}: {}", clean(&one.message))
        })
        .collect()
}

/// Where a clause stands, for a person: presets are no files on the disk.
fn place(origin: &Origin) -> String {
    if origin.layer == LayerKind::Preset {
        format!(
            "line {} of the built-in preset {}",
            origin.line, origin.file
        )
    } else {
        origin.to_string()
    }
}

const fn sandbox(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Runc => "the usual sandbox (runc)",
        Runtime::Runsc => "the stricter sandbox (gVisor)",
    }
}

/// An answer as the end of "under this preset SafeRun …".
const fn would(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "runs it",
        Verdict::AllowStricter => "runs it in gVisor",
        Verdict::NeedsOverride => "asks a person for a reason",
        Verdict::Refuse => "refuses it",
    }
}

fn code_line(source: &str, line: u32) -> Option<String> {
    let text = source
        .lines()
        .nth(usize::try_from(line.checked_sub(1)?).ok()?)?;
    let text = clean(text.trim());
    let mut short: String = text.chars().take(100).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    Some(short)
}

/// What would make a clause fall silent, in the layer that can say so.
fn change(clause: &Clause, report: &Report) -> String {
    let key = clause.key.as_str();
    if clause.origin.layer == LayerKind::Project {
        return format!(
            "change line {} of {}, or say otherwise in a file that you give with --policy FILE",
            clause.origin.line, clause.origin.file
        );
    }
    let rule = clause
        .finding
        .and_then(|index| report.findings.get(index))
        .map(|finding| clean(&finding.name));
    let line = clause.code_line.map_or_else(String::new, |line| {
        format!("change line {line} of the code, or ")
    });
    match (key.split_once('.'), rule) {
        (Some(("levels", _)), Some(rule)) => {
            format!(
                "{line}say `rules: {{{rule}: off}}` in your own policy, which silences the rule for every script"
            )
        }
        (Some(("levels", level)), None) => {
            format!("say `levels: {{{level}: override}}`, or `refuse`, in your own policy")
        }
        // Off beside a BLOCKED rule in one file would be a contradiction.
        (Some(("custom_rules", id)), _) if clause.origin.layer == LayerKind::User => {
            let Origin { file, line: at, .. } = &clause.origin;
            format!("{line}remove the rule `{id}`, which is made in line {at} of {file}")
        }
        (Some(("custom_rules", id)), _) => {
            format!("{line}say `rules: {{{id}: off}}` in your own policy")
        }
        (Some(("override", what)), _) => override_change(what).to_owned(),
        (None, _) => format!("say another `{key}` in your own policy"),
        (Some(_), _) => {
            let list = key.rsplit_once('.').map_or(key, |(list, _)| list);
            let name = clause.text.split('`').nth(1).unwrap_or_default();
            format!("{line}add `{name}` to `{list}.allow` in your own policy")
        }
    }
}

/// What makes a rule on overrides fall silent.
fn override_change(what: &str) -> &'static str {
    match what {
        "allowed" => "say `override: {allowed: true}` in your own policy",
        "who" => {
            "run it yourself in a terminal, or add the client to `override.who` in your own policy"
        }
        "reason_required" => "give the reason in words: --override 'why it is fine'",
        _ => {
            "run it in a terminal or an editor, or say `override: {unattended: true}` in your own policy"
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.headline)?;
        for (index, point) in self.points.iter().enumerate() {
            let Clause {
                key,
                text,
                origin,
                code_line,
                ..
            } = &point.clause;
            writeln!(f, "\n{}. {text}", index + 1)?;
            if let (Some(line), Some(code)) = (code_line, &point.code) {
                writeln!(f, "   line {line}: {code}")?;
            }
            // A clause of another kind does not go by the findings.
            let by_risk = key.starts_with("levels.");
            for found in self.found.iter().filter(|_| by_risk) {
                writeln!(f, "   {found}")?;
            }
            writeln!(f, "   decided by `{key}`, set by {}", place(origin))?;
            writeln!(f, "   to change it: {}", point.change)?;
        }
        if self.more > 0 {
            writeln!(f, "\nand {} more of the kind", self.more)?;
        }
        if !self.changes.is_empty() {
            writeln!(f, "\nWhat would change the answer:")?;
            for change in &self.changes {
                writeln!(f, "  - {change}")?;
            }
        }
        let others: Vec<String> = self
            .elsewhere
            .iter()
            .map(|(name, verdict)| format!("{name} {}", would(*verdict)))
            .collect();
        if !others.is_empty() {
            writeln!(f, "\nOther presets (--policy NAME): {}", others.join(", "))?;
        }
        // Most of the advice above names that file.
        writeln!(
            f,
            "\nYour own policy: ~/.config/saferun/policy.yaml, unless SAFERUN_CONFIG_DIR names another folder"
        )
    }
}
