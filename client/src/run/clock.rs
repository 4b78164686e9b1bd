//! Where the time of a `run` went, from `main` to the end: this command's own stages, with the daemon's in their midst.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use nix::time::{ClockId, clock_gettime};
use saferun_protocol::{RunResult, Stage};

/// Takes the time of each stage. They leave no gap, so that their sum is the whole.
#[derive(Debug)]
pub(crate) struct Clock {
    began: Instant,
    last: Instant,
    told: Vec<Stage>,
    /// When the request was sent, by the clock that the daemon tells the time by.
    sent_us: Option<u64>,
}

impl Clock {
    /// Counts from this moment on, which was the first of `main`.
    pub(crate) fn since(began: Instant) -> Self {
        Self {
            began,
            last: began,
            told: Vec::new(),
            sent_us: None,
        }
    }

    /// Ends a stage now.
    pub(crate) fn end(&mut self, name: &str) {
        let now = Instant::now();
        let time = now.duration_since(self.last);
        self.told.push(Stage::new(name, millis(time)));
        self.last = now;
    }

    /// Since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The connection stands, and the request is sent from now on. A later one takes the place of an earlier one.
    pub(crate) fn connected(&mut self) {
        self.end("connection");
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC).ok();
        self.sent_us = now.and_then(|now| u64::try_from(Duration::from(now).as_micros()).ok());
    }

    /// The result is here: what has passed since [`Clock::connected`] was the daemon's, and the ways there and back.
    pub(crate) fn answered(&mut self, result: &RunResult) {
        let now = Instant::now();
        let all = millis(now.duration_since(self.last));
        self.last = now;
        self.told.extend(daemon_stages(result, self.sent_us, all));
    }

    /// All of it, as a table.
    pub(crate) fn table(&mut self, warm: bool) -> String {
        self.end("output");
        let mut text = "saferunctl: where the time went, in ms\n".to_owned();
        let sum: f64 = self.told.iter().map(|stage| stage.ms).sum();
        for stage in &self.told {
            // Writing to a String does not fail.
            let _ = writeln!(
                text,
                "{:>9.3}  {}",
                stage.ms,
                crate::ui::one_line(&stage.name)
            );
        }
        let container = if warm { "warm" } else { "cold" };
        let _ = writeln!(text, "{sum:>9.3}  all of it; {container} container");
        text
    }
}

/// The time between the request and its result, in pieces that make up all of it.
fn daemon_stages(result: &RunResult, sent_us: Option<u64>, all: f64) -> Vec<Stage> {
    let timing = &result.timing;
    let own: f64 = timing.stages.iter().map(|stage| stage.ms).sum();
    let mut stages = timing.stages.clone();
    let ways = all - own;
    if stages.is_empty() || !(0.0..=all).contains(&own) {
        return vec![Stage::new("daemon, with the ways there and back", all)];
    }
    let there = timing.began_us.zip(sent_us).and_then(|(began, sent)| {
        let there = Duration::from_micros(began.checked_sub(sent)?);
        Some(millis(there)).filter(|there| *there <= ways)
    });
    match there {
        Some(there) => {
            stages.insert(0, Stage::new("request to the daemon", there));
            stages.push(Stage::new("result back", ways - there));
        }
        // Its clock is another one.
        None => stages.push(Stage::new("the ways to the daemon and back", ways)),
    }
    stages
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use saferun_protocol::Outcome;

    use super::*;

    fn stages(
        began_us: Option<u64>,
        sent_us: Option<u64>,
        all: f64,
        told: &[(&str, f64)],
    ) -> Vec<(String, f64)> {
        let mut result = RunResult::new("id".to_owned(), Outcome::Completed, String::new());
        result.timing.stages = told
            .iter()
            .map(|(name, ms)| Stage::new(*name, *ms))
            .collect();
        result.timing.began_us = began_us;
        let stages = daemon_stages(&result, sent_us, all);
        stages
            .into_iter()
            .map(|stage| (stage.name, stage.ms))
            .collect()
    }

    #[test]
    fn the_daemons_stages_and_the_ways_make_up_the_whole() {
        let told = [("scan and policy", 2.0), ("program", 3.0)];
        let known = stages(Some(1_500), Some(1_000), 6.0, &told);
        assert_eq!(
            known.first(),
            Some(&("request to the daemon".to_owned(), 0.5))
        );
        assert_eq!(known.last(), Some(&("result back".to_owned(), 0.5)));
        for (began, sent) in [
            (None, Some(1)),
            (Some(1), Some(1_000)),
            (Some(90_000), Some(1)),
        ] {
            let lumped = stages(began, sent, 6.0, &told);
            assert_eq!(
                lumped.last(),
                Some(&("the ways to the daemon and back".to_owned(), 1.0))
            );
        }
        for all in [
            known,
            stages(None, None, 6.0, &told),
            stages(None, None, 6.0, &[]),
            stages(None, None, 6.0, &[("lie", 9.0)]),
        ] {
            let sum: f64 = all.iter().map(|stage| stage.1).sum();
            assert!((sum - 6.0).abs() < 1e-9, "{all:?}");
        }
    }

    #[test]
    fn the_table_ends_with_the_sum_of_its_rows() {
        let mut clock = Clock::since(Instant::now());
        clock.end("command line");
        clock.connected();
        clock.answered(&RunResult::new(
            "id".to_owned(),
            Outcome::Completed,
            String::new(),
        ));
        let table = clock.table(true);
        let numbers: Vec<f64> = table
            .lines()
            .filter_map(|line| line.split_whitespace().next()?.parse().ok())
            .collect();
        let (all, rows) = numbers.split_last().expect("rows");
        assert_eq!(rows.len(), 4);
        // Each is rounded to the third place.
        assert!((rows.iter().sum::<f64>() - all).abs() < 0.003, "{table}");
    }
}
