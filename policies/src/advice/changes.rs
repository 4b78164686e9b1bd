//! What would change the answer as a whole, beside what changes one clause.

use saferun_scanner::Level;

use super::{Case, REASON, stands, told, with_a_reason};
use crate::action::{Action, Gate};
use crate::amend::{self, Place};
use crate::decide::level_key;
use crate::decision::{ClientKind, Decision, Runtime, Verdict};

impl Case<'_> {
    /// What would change the answer as a whole.
    pub(crate) fn changes(&self) -> Vec<String> {
        let mut changes = Vec::new();
        let decision = &self.decision;
        let gvisor = self.asked(|request| request.gvisor_available = true);
        match decision.verdict {
            Verdict::Allow | Verdict::AllowStricter => {
                if decision.risk >= Level::High
                    && decision.runtime == Runtime::Runc
                    && gvisor.runtime == Runtime::Runsc
                    && gvisor.verdict.runs()
                {
                    changes.push(
                        "with gVisor on this host it would run there, better closed off".to_owned(),
                    );
                }
            }
            Verdict::NeedsOverride => changes.extend(self.overriding()),
            Verdict::Refuse => {
                if gvisor.verdict != Verdict::Refuse {
                    changes.push(
                        "install gVisor and register `runsc` with the engine: `saferunctl doctor` says how"
                            .to_owned(),
                    );
                }
                if decision.overridable && self.by(ClientKind::Terminal).verdict.runs() {
                    changes.push(format!("let a person run it with `--override '{REASON}'`"));
                } else {
                    changes.extend(self.leaving_it_to_a_person());
                }
            }
        }
        changes
    }

    /// The decision when a person gives a reason there.
    fn by(&self, client: ClientKind) -> Decision {
        self.policy()
            .decide(self.report(), &with_a_reason(self.request, client))
    }

    fn overriding(&self) -> Option<String> {
        let terminal = self.by(ClientKind::Terminal).verdict.runs();
        let editor = self.by(ClientKind::Editor).verdict.runs();
        match (terminal, editor) {
            (true, true) => Some(format!(
                "run it with `--override '{REASON}'` at a terminal, or confirm it in the editor"
            )),
            (true, false) => Some(format!("run it with `--override '{REASON}'` at a terminal")),
            (false, true) => Some("confirm it in the editor".to_owned()),
            (false, false) => None,
        }
    }

    /// The smallest word after which a person at a terminal could let it run.
    fn leaving_it_to_a_person(&self) -> Option<String> {
        let request = with_a_reason(self.request, ClientKind::Terminal);
        for place in [Place::Own, Place::File(self.reach())] {
            for words in self.milder() {
                let text = words.join("\n");
                let layers = amend::said(&self.loaded.layers, place, &text);
                let after = layers.and_then(|layers| self.decided(layers, &request));
                if after.is_some_and(|(_, decision)| decision.verdict.runs()) {
                    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                    return Some(format!(
                        "let a person decide: say {} in {}, against {}",
                        words.join(" and "),
                        told(place),
                        self.against()
                    ));
                }
            }
        }
        None
    }

    /// Where the word stands that refuses.
    fn against(&self) -> String {
        let policy = self.policy();
        let key = if policy.action_at(self.decision.risk).gate == Gate::Refuse {
            level_key(self.decision.risk)
        } else {
            "override.allowed"
        };
        stands(&policy.origin_of(key))
    }

    /// Ways to leave a refused run to a person, the smallest first.
    fn milder(&self) -> Vec<Vec<String>> {
        let policy = self.policy();
        let rules = &policy.override_rules;
        let mut overrides = Vec::new();
        if !rules.allowed {
            overrides.push("allowed: true".to_owned());
        }
        if !rules.who.contains(&ClientKind::Terminal) {
            let who = self.allowed_with(ClientKind::Terminal);
            overrides.push(format!("who: [{who}]"));
        }
        let overrides: Vec<String> = (!overrides.is_empty())
            .then(|| format!("override: {{{}}}", overrides.join(", ")))
            .into_iter()
            .collect();
        let up_to = |lowest: Level| {
            let levels = Level::ALL.into_iter();
            let refused: Vec<String> = levels
                .filter(|level| (lowest..=self.decision.risk).contains(level))
                .filter(|level| policy.action_at(*level).gate == Gate::Refuse)
                .map(|level| format!("{level}: {}", Action::OVERRIDE))
                .collect();
            (!refused.is_empty()).then(|| format!("levels: {{{}}}", refused.join(", ")))
        };
        let mut ways = vec![overrides.clone()];
        ways.extend([self.decision.risk, Level::Low].map(|lowest| {
            let levels = up_to(lowest).into_iter();
            levels.chain(overrides.iter().cloned()).collect()
        }));
        ways.retain(|way: &Vec<String>| !way.is_empty());
        ways
    }
}
