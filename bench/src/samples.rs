//! The rounds: each subject once in each round, in turn.

use anyhow::{Result, ensure};

use crate::subjects::{SUBJECTS, Subjects};

const WARM_UP: usize = 3;
const LEAST_ROUNDS: usize = 30;
/// Below this share of warm hits the figures would be of something else.
const LEAST_HIT_RATE: f64 = 0.95;

/// Milliseconds of each subject, by round, and how often a warm container was hit.
pub(crate) struct Samples {
    pub(crate) rounds: usize,
    pub(crate) times: Vec<(&'static str, Vec<f64>)>,
    pub(crate) hits: usize,
    pub(crate) sandboxed: usize,
}

/// Takes the samples; fails if they would not mean what they say.
pub(crate) fn take(subjects: &mut Subjects, rounds: usize) -> Result<Samples> {
    ensure!(
        rounds >= LEAST_ROUNDS,
        "at least {LEAST_ROUNDS} rounds, or the medians mean nothing"
    );
    let mut times: Vec<(&'static str, Vec<f64>)> = SUBJECTS
        .iter()
        .map(|name| (*name, Vec::with_capacity(rounds)))
        .collect();
    let mut before = (0, 0);
    for round in 0..rounds + WARM_UP {
        if round == WARM_UP {
            before = subjects.hits_and_misses()?;
        }
        for (name, samples) in &mut times {
            let milliseconds = subjects.measure(name)?;
            if round >= WARM_UP {
                samples.push(milliseconds);
            }
        }
    }
    // The daemon's own counters, which also know of the runs that `saferunctl` asked for.
    let after = subjects.hits_and_misses()?;
    let hits = after.0 - before.0;
    let sandboxed = hits + after.1 - before.1;
    ensure!(
        sandboxed >= 2 * rounds,
        "{sandboxed} sandboxed runs in {rounds} rounds"
    );
    let rate = ratio(hits, sandboxed);
    ensure!(
        rate >= LEAST_HIT_RATE,
        "only {:.0} in 100 runs hit a warm container",
        rate * 100.0
    );
    Ok(Samples {
        rounds,
        times,
        hits,
        sandboxed,
    })
}

/// A share, for counts far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "counts of rounds are small")]
pub(crate) fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / (whole.max(1)) as f64
}
