//! Says which clause decided and what would change it, for a person and for a program.

use std::fmt;

use saferun_scanner::{Level, Report};
use serde::{Deserialize, Serialize};

use crate::advice::{Case, stands};
use crate::decision::{Clause, Decision, DecisionRequest, Runtime, Verdict};
use crate::diagnostic::clean;
use crate::load::Loaded;
use crate::presets::preset_names;

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
    /// What would change the answer as a whole; each was tried.
    pub changes: Vec<String>,
    /// The answer with other presets chosen for this one run, all other layers as they are.
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
    /// What would make this clause fall silent; each way was tried. Empty where none is known.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub change: String,
}

impl Loaded {
    /// Explains the decision on one run. `scan` gives the report on the code; with `true`, comments in the code silence
    /// findings. `source` is the code, for its lines; without it lines are only numbered.
    #[must_use]
    pub fn explain(
        &self,
        scan: &dyn Fn(bool) -> Report,
        request: &DecisionRequest,
        source: Option<&str>,
    ) -> Explanation {
        let case = Case::new(self, scan, request);
        let (decision, name) = (&case.decision, &self.policy.name);
        let points = decision
            .reasons
            .iter()
            .take(SHOWN)
            .map(|clause| Point {
                clause: clause.clone(),
                code: clause.code_line.and_then(|line| code_line(source?, line)),
                change: case.change(clause),
            })
            .collect();
        let elsewhere = preset_names()
            .iter()
            .take(COMPARED)
            .filter(|other| *other != name)
            .filter_map(|other| Some(((*other).to_owned(), case.under(other)?)))
            .collect();
        Explanation {
            headline: headline(decision, name),
            points,
            more: decision.reasons.len().saturating_sub(SHOWN),
            found: found(decision, case.report()),
            changes: case.changes(),
            elsewhere,
            decision: case.decision,
        }
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
            writeln!(f, "   decided by `{key}`, set by {}", stands(origin))?;
            if !point.change.is_empty() {
                writeln!(f, "   to change it: {}", point.change)?;
            }
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
