//! Alerts: when too many runs are refused or fail within a window, the policy's own program is started, once.

use std::{
    collections::VecDeque,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use saferun_policy::{AlertRules, MAX_ALERT_COUNT, Rate};
use saferun_protocol::Outcome;

/// Ends that are remembered of each kind: one more than any rate of `alerts` allows in a window.
const REMEMBERED: usize = MAX_ALERT_COUNT as usize + 1;
/// How long the program may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Refused by the policy.
    Refused,
    /// Ended by a limit, a signal, an error of its own or of SafeRun.
    Failed,
}

/// The ends of late. Pure but for the clock that it is given.
#[derive(Debug, Default)]
pub(super) struct Ends {
    refused: VecDeque<Instant>,
    failed: VecDeque<Instant>,
    told: [Option<Instant>; 2],
}

impl Ends {
    /// Counts an end; says by how many a rate is exceeded if an alert is due now.
    pub(super) fn count(
        &mut self,
        trouble: Trouble,
        now: Instant,
        rules: &AlertRules,
    ) -> Option<Rate> {
        let (times, rates, told) = match trouble {
            Trouble::Refused => (&mut self.refused, &rules.refused, &mut self.told[0]),
            Trouble::Failed => (&mut self.failed, &rules.failed, &mut self.told[1]),
        };
        times.push_back(now);
        if times.len() > REMEMBERED {
            times.pop_front();
        }
        let over = rates.iter().find(|rate| {
            let within = times
                .iter()
                .rev()
                .take_while(|time| now.duration_since(**time) < rate.window)
                .count();
            within > rate.count as usize
        })?;
        if told.is_some_and(|told| now.duration_since(told) < rules.quiet) {
            return None;
        }
        *told = Some(now);
        Some(*over)
    }
}

/// A handle to the counts. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alerts(Arc<Mutex<Ends>>);

impl Alerts {
    /// Counts the end of a run, under the policy that stands on this machine.
    pub(crate) fn ended(&self, outcome: Outcome, exit_code: Option<u8>, rules: &AlertRules) {
        let trouble = match (outcome, exit_code) {
            (Outcome::Completed, None | Some(0)) | (Outcome::Cancelled, _) => return,
            (Outcome::Blocked, _) => Trouble::Refused,
            _ => Trouble::Failed,
        };
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(rate) = ends.count(trouble, Instant::now(), rules) else {
            return;
        };
        drop(ends);
        let what = match trouble {
            Trouble::Refused => "refused",
            Trouble::Failed => "failed",
        };
        tracing::warn!(%rate, "alert: more runs were {what} than the policy's rate");
        if let Some((program, args)) = rules.command.split_first() {
            tokio::spawn(tell(program.clone(), args.to_vec(), what, rate));
        }
    }
}

async fn tell(program: String, args: Vec<String>, what: &'static str, rate: Rate) {
    let started = tokio::process::Command::new(&program)
        .args(args)
        .env("SAFERUN_ALERT", what)
        .env("SAFERUN_ALERT_RATE", rate.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    match started {
        Ok(mut child) => {
            let ended = tokio::time::timeout(PATIENCE, child.wait()).await;
            if !matches!(&ended, Ok(Ok(status)) if status.success()) {
                tracing::warn!(program, ?ended, "the alert's program did not succeed");
            }
        }
        Err(error) => tracing::warn!(program, %error, "the alert's program could not be started"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_raises_one_alert_and_another_only_after_the_quiet_time() {
        let rules = AlertRules {
            refused: vec![Rate {
                count: 3,
                window: Duration::from_secs(60),
            }],
            failed: Vec::new(),
            quiet: Duration::from_secs(600),
            command: Vec::new(),
        };
        let mut ends = Ends::default();
        let began = Instant::now();
        let mut alerts = Vec::new();
        for second in 0..700 {
            let now = began + Duration::from_secs(second);
            if ends.count(Trouble::Refused, now, &rules).is_some() {
                alerts.push(second);
            }
            assert_eq!(ends.count(Trouble::Failed, now, &rules), None);
        }
        assert_eq!(alerts, [3, 603]);
    }

    #[test]
    fn the_highest_rate_that_a_policy_takes_raises_an_alert() {
        let text = |count| format!("version: 1\nalerts: {{refused: {count}/1h}}\n");
        let load = |count| {
            saferun_policy::load(&[saferun_policy::Source::yaml(
                saferun_policy::LayerKind::User,
                "user",
                text(count),
            )])
        };
        let refused = load(MAX_ALERT_COUNT + 1).unwrap_err().to_string();
        assert!(refused.contains("is above 9999"), "{refused}");
        let rules = load(MAX_ALERT_COUNT).unwrap().policy.alerts;
        let mut ends = Ends::default();
        let began = Instant::now();
        let count = |ends: &mut Ends| ends.count(Trouble::Refused, began, &rules);
        for _ in 0..MAX_ALERT_COUNT {
            assert_eq!(count(&mut ends), None);
        }
        assert_eq!(
            count(&mut ends).map(|rate| rate.count),
            Some(MAX_ALERT_COUNT)
        );
    }
}
