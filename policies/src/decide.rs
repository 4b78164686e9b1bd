//! From a policy and a scan's report to a decision. Pure: the same input gives the same answer, on any host.

use saferun_scanner::{Level, Report};

use crate::action::{Action, Gate, Tier};
use crate::decision::{Clause, Decision, DecisionRequest, Runtime, Verdict};
use crate::origin::{LayerKind, Origin};
use crate::policy::Policy;

impl Policy {
    /// Decides on one run.
    #[must_use]
    pub fn decide(&self, report: &Report, request: &DecisionRequest) -> Decision {
        let mut action = self.levels.at(Level::Low);
        let mut risk = Level::Low;
        let mut reasons = Vec::new();
        for (index, finding) in report.findings.iter().enumerate() {
            let at = self.levels.at(finding.level);
            if at != Action::RUN {
                reasons.push((
                    at.gate,
                    Clause {
                        origin: self.origin_of(level_key(finding.level)),
                        key: level_key(finding.level).to_owned(),
                        text: format!("{} {}: {}", finding.level, finding.name, finding.message),
                        finding: Some(index),
                        code_line: Some(finding.range.start.line),
                    },
                ));
            }
            action = action.join(at);
            risk = risk.max(finding.level);
        }
        reasons.sort_by(|(one, _), (other, _)| other.cmp(one));
        let mut decision = Decision {
            verdict: Verdict::Allow,
            runtime: self.runtime.max(request.runtime.unwrap_or_default()),
            risk,
            reasons: reasons.into_iter().map(|(_, clause)| clause).collect(),
            overridable: action.gate == Gate::Override && self.override_rules.allowed,
            overridden: false,
        };
        self.settle(action, request, &mut decision);
        decision
    }

    fn settle(&self, action: Action, request: &DecisionRequest, decision: &mut Decision) {
        match action.gate {
            Gate::Run => {}
            Gate::Override if !self.override_rules.allowed => decision.verdict = Verdict::Refuse,
            Gate::Override => {
                let reason = request.override_reason.as_deref().map(str::trim);
                if reason.is_none_or(str::is_empty) {
                    decision.verdict = Verdict::NeedsOverride;
                } else if !request.person_present && !self.override_rules.unattended {
                    decision.verdict = Verdict::Refuse;
                } else {
                    decision.overridden = true;
                }
            }
            Gate::Refuse => decision.verdict = Verdict::Refuse,
        }
        let wants = match action.tier {
            Tier::Any => self.runtime,
            Tier::Prefer if !request.gvisor_available => self.runtime,
            Tier::Prefer | Tier::Require => Runtime::Runsc,
        };
        decision.runtime = decision.runtime.max(wants);
        if decision.runtime == Runtime::Runsc && !request.gvisor_available {
            decision.verdict = Verdict::Refuse;
        } else if decision.verdict == Verdict::Allow && decision.runtime > self.runtime {
            decision.verdict = Verdict::AllowStricter;
        }
    }

    /// Where the value of a key was set.
    #[must_use]
    pub fn origin_of(&self, key: &str) -> Origin {
        let _ = key;
        Origin {
            layer: LayerKind::Preset,
            file: self.name.clone(),
            line: 0,
            column: 0,
        }
    }
}

/// The policy key that holds the action of a level.
#[must_use]
pub const fn level_key(level: Level) -> &'static str {
    match level {
        Level::Low => "levels.LOW",
        Level::Medium => "levels.MEDIUM",
        Level::High => "levels.HIGH",
        Level::Blocked => "levels.BLOCKED",
    }
}
