//! Runs the `tests` of a policy: each code is scanned by the caller's function and decided by the policy.

use std::fmt;

use saferun_scanner::Report;
use serde::{Deserialize, Serialize};

use crate::decision::{ClientKind, Decision, DecisionRequest};
use crate::layer::Expectation;
use crate::policy::Policy;

/// How one test of a policy went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestOutcome {
    /// The test.
    pub expectation: Expectation,
    /// What the policy said.
    pub decision: Decision,
    /// Why it failed; `None` if it passed.
    pub failure: Option<String>,
}

impl TestOutcome {
    /// Whether the policy said what was expected.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.failure.is_none()
    }
}

impl fmt::Display for TestOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Expectation { name, origin, .. } = &self.expectation;
        match &self.failure {
            None => write!(f, "ok    {name}"),
            Some(failure) => write!(f, "FAIL  {name} ({origin}): {failure}"),
        }
    }
}

impl Policy {
    /// Runs tests. `scan` gets code and language; a test with an `override` counts as given by a person at a terminal.
    pub fn run_tests(
        &self,
        tests: &[Expectation],
        mut scan: impl FnMut(&str, &str) -> Report,
    ) -> Vec<TestOutcome> {
        tests
            .iter()
            .map(|test| {
                let request = DecisionRequest {
                    override_reason: test.override_reason.clone(),
                    person_present: true,
                    runtime: None,
                    gvisor_available: test.gvisor,
                    client: ClientKind::Terminal,
                    language: test.language.clone(),
                };
                let decision = self.decide(&scan(&test.code, &test.language), &request);
                let failure = failure(test, &decision);
                TestOutcome {
                    expectation: test.clone(),
                    decision,
                    failure,
                }
            })
            .collect()
    }
}

fn failure(test: &Expectation, decision: &Decision) -> Option<String> {
    let spoke = |wanted: &str| {
        decision.reasons.iter().any(|clause| {
            clause.key == wanted
                || clause
                    .key
                    .strip_prefix(wanted)
                    .is_some_and(|rest| rest.starts_with('.'))
        })
    };
    let first = decision
        .reasons
        .first()
        .map_or("", |clause| clause.text.as_str());
    if decision.verdict != test.expect {
        return Some(format!(
            "expected {}, got {} because {first}",
            test.expect, decision.verdict
        ));
    }
    match &test.because {
        Some(wanted) if !spoke(wanted) => Some(format!(
            "got {} as expected, but not because of `{wanted}`: {first}",
            decision.verdict
        )),
        _ => None,
    }
}
