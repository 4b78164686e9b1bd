//! The moments of a run for whoever asked where the time went. Costs nothing when nobody did.

use std::time::{Duration, Instant};

use saferun_protocol::{Stage, Timing};

/// Pieces of time without a gap between them.
#[derive(Debug, Default)]
pub(crate) struct Stages {
    /// The end of the last one; `None` if nobody asked.
    last: Option<Instant>,
    told: Vec<(&'static str, Duration)>,
    began_us: Option<u64>,
}

impl Stages {
    /// Begins the first stage now, if anybody asked.
    pub(crate) fn begin(wanted: bool) -> Self {
        if !wanted {
            return Self::default();
        }
        Self {
            last: Some(Instant::now()),
            told: Vec::with_capacity(12),
            began_us: monotonic_us(),
        }
    }

    /// Ends a stage now.
    pub(crate) fn end(&mut self, name: &'static str) {
        self.end_at(name, Instant::now());
    }

    /// Ends a stage at a moment; one before the last end gives a stage without length.
    pub(crate) fn end_at(&mut self, name: &'static str, at: Instant) {
        if let Some(last) = &mut self.last {
            self.told.push((name, at.saturating_duration_since(*last)));
            *last = at.max(*last);
        }
    }

    /// Ends a stage that took so long, as far as it is over by now.
    pub(crate) fn end_after(&mut self, name: &'static str, time: Duration) {
        if let Some(last) = self.last {
            self.end_at(name, (last + time).min(Instant::now()));
        }
    }

    /// Writes them down.
    pub(crate) fn tell(&self, timing: &mut Timing) {
        let stages = self.told.iter();
        timing.stages = stages
            .map(|(name, time)| Stage::new(*name, time.as_secs_f64() * 1000.0))
            .collect();
        timing.began_us = self.began_us;
    }
}

fn monotonic_us() -> Option<u64> {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).ok()?;
    u64::try_from(Duration::from(now).as_micros()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_leave_no_gap_and_are_nothing_for_who_did_not_ask() {
        let mut stages = Stages::begin(true);
        let first = stages.last.expect("asked for");
        stages.end_at("a", first + Duration::from_millis(5));
        // Came out of order: it takes nothing from the next one.
        stages.end_at("b", first + Duration::from_millis(2));
        stages.end_at("c", first + Duration::from_millis(9));
        let mut timing = Timing::default();
        stages.tell(&mut timing);
        let told: Vec<_> = timing
            .stages
            .iter()
            .map(|stage| (stage.name.as_str(), stage.ms))
            .collect();
        assert_eq!(told, [("a", 5.0), ("b", 0.0), ("c", 4.0)]);
        assert!(timing.began_us.is_some());

        let mut silent = Stages::begin(false);
        silent.end("a");
        silent.end_after("b", Duration::from_secs(1));
        silent.tell(&mut timing);
        assert_eq!((timing.stages.len(), timing.began_us), (0, None));
    }
}
