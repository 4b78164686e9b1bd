//! From a policy and a scan's report to a decision. Pure: the same input gives the same answer, on any host.

use std::cmp::Reverse;

use saferun_scanner::{Level, Report};

use crate::action::{Action, Gate, Tier};
use crate::decision::{Clause, Decision, DecisionRequest, Runtime, Verdict};
use crate::matters::Matter;
use crate::policy::Policy;

/// What a decision says where the stricter tier is needed and not there.
pub(crate) const MISSING_GVISOR: &str =
    "it may run in gVisor only, a stricter sandbox, and this host does not have it";

impl Policy {
    /// Decides on one run. There is always at least one reason, the deciding one first.
    #[must_use]
    pub fn decide(&self, report: &Report, request: &DecisionRequest) -> Decision {
        let language = if request.language.is_empty() {
            "python"
        } else {
            &request.language
        };
        let mut matters = self.matters(report, language);
        let risk = matters
            .iter()
            .map(|matter| matter.level)
            .max()
            .unwrap_or(Level::Low);
        let action = matters
            .iter()
            .map(|matter| matter.action)
            .fold(self.levels.at(Level::Low), Action::join);
        // Stable: among equals the order of the code stands.
        matters.sort_by_key(|matter| Reverse(weight(matter)));
        // The clause that would be to blame if gVisor were missing.
        let demands = matters
            .iter()
            .find(|matter| {
                matter.action.tier == Tier::Require && matter.action.gate != Gate::Refuse
            })
            .map(|matter| Clause {
                // What the code does is a reason of its own; the tier is the level's.
                key: level_key(matter.level).to_owned(),
                origin: self.origin_of(level_key(matter.level)),
                ..matter.clause.clone()
            });
        let mut reasons: Vec<Clause> = matters
            .into_iter()
            .filter(|matter| matter.action != Action::RUN)
            .map(|matter| matter.clause)
            .collect();
        if reasons.is_empty() {
            let key = level_key(risk);
            let text =
                format!("nothing riskier than {risk} was found, and under this policy that runs");
            reasons.push(self.clause(key, text));
        }
        let mut decision = Decision {
            verdict: Verdict::Allow,
            runtime: self.runtime,
            risk,
            reasons,
            overridable: action.gate == Gate::Override && self.may_override(request.client),
            overridden: false,
        };
        self.gate(action.gate, request, &mut decision);
        self.tier(action.tier, demands, request, &mut decision);
        decision
    }

    fn clause(&self, key: &str, text: impl Into<String>) -> Clause {
        Clause {
            origin: self.origin_of(key),
            key: key.to_owned(),
            text: text.into(),
            finding: None,
            code_line: None,
        }
    }

    fn gate(&self, gate: Gate, request: &DecisionRequest, decision: &mut Decision) {
        let rules = &self.override_rules;
        let blank = request
            .override_reason
            .as_deref()
            .is_none_or(|reason| reason.trim().is_empty());
        let (verdict, clause) = match gate {
            Gate::Run => return,
            Gate::Refuse => {
                decision.verdict = Verdict::Refuse;
                return;
            }
            Gate::Override if !rules.allowed => {
                let text = "it would need an override, which this policy does not allow";
                (Verdict::Refuse, self.clause("override.allowed", text))
            }
            Gate::Override if !rules.who.contains(&request.client) => {
                let text = format!("a client of the kind `{}` may not override", request.client);
                (Verdict::Refuse, self.clause("override.who", text))
            }
            Gate::Override if request.override_reason.is_none() => {
                decision.verdict = Verdict::NeedsOverride;
                return;
            }
            // Before the reason: that one is demanded may not make a refusal a question.
            Gate::Override if !request.person_present && !rules.unattended => {
                let text = "an override needs a person at a terminal or an editor's prompt, and there is none";
                (Verdict::Refuse, self.clause("override.unattended", text))
            }
            Gate::Override if rules.reason_required && blank => {
                let text = "an override needs a reason in words";
                (
                    Verdict::NeedsOverride,
                    self.clause("override.reason_required", text),
                )
            }
            Gate::Override => {
                decision.overridden = true;
                return;
            }
        };
        decision.verdict = verdict;
        decision.reasons.push(clause);
    }

    fn tier(
        &self,
        tier: Tier,
        demands: Option<Clause>,
        request: &DecisionRequest,
        decision: &mut Decision,
    ) {
        let wanted = match tier {
            Tier::Prefer if request.gvisor_available => Runtime::Runsc,
            Tier::Require => Runtime::Runsc,
            Tier::Any | Tier::Prefer => self.runtime,
        };
        let wanted = wanted.max(self.runtime);
        decision.runtime = wanted.max(request.runtime.unwrap_or_default());
        if request
            .runtime
            .is_some_and(|asked| asked < decision.runtime)
            && decision.verdict.runs()
        {
            let text = format!(
                "the request asks for runc; {} is used, because a request only goes stricter",
                decision.runtime
            );
            decision.reasons.push(self.clause("runtime", text));
        }
        if decision.verdict == Verdict::Refuse {
            return;
        }
        if decision.runtime == Runtime::Runsc && !request.gvisor_available {
            decision.verdict = Verdict::Refuse;
            decision.overridable = false;
            decision.overridden = false;
            let mut clause = match demands {
                Some(clause) if wanted > self.runtime => clause,
                _ => self.clause("runtime", ""),
            };
            MISSING_GVISOR.clone_into(&mut clause.text);
            decision.reasons.insert(0, clause);
        } else if decision.verdict == Verdict::Allow && wanted > self.runtime {
            decision.verdict = Verdict::AllowStricter;
        }
    }
}

fn weight(matter: &Matter) -> (Gate, Tier, Level) {
    (matter.action.gate, matter.action.tier, matter.level)
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
