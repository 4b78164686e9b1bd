//! Whose CPU time it was: the engine's, the runtime's, ours, or the rest, from proc(5).

use std::{
    collections::HashMap,
    fs,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use serde_json::{Value, json};

/// Between two looks. What a process does after the last look before its end counts as the rest.
const EACH: Duration = Duration::from_millis(200);

/// Milliseconds of a clock tick on Linux.
const TICK: f64 = 10.0;

/// CPU time in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Split {
    /// Of the whole machine.
    pub(crate) machine: f64,
    /// Of dockerd.
    pub(crate) dockerd: f64,
    /// Of containerd and its shims with their children that have ended: runc, and the containers.
    pub(crate) containerd: f64,
    /// Of our daemons.
    pub(crate) saferund: f64,
}

impl Split {
    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            machine: self.machine + other.machine,
            dockerd: self.dockerd + other.dockerd,
            containerd: self.containerd + other.containerd,
            saferund: self.saferund + other.saferund,
        }
    }

    /// As shares of so many runs, for the raw samples.
    pub(crate) fn each(self, runs: f64) -> Value {
        let rest = self.machine - self.dockerd - self.containerd - self.saferund;
        json!({
            "machine": self.machine / runs, "dockerd": self.dockerd / runs,
            "containerd": self.containerd / runs, "saferund": self.saferund / runs, "rest": rest / runs,
        })
    }
}

/// Looks at all processes from one moment to another, in a thread of its own.
pub(crate) fn watch(from: Instant, until: Instant) -> JoinHandle<Result<Split>> {
    thread::spawn(move || {
        wait(from);
        let before = machine()?;
        let mut seen = HashMap::new();
        look(&mut seen, true);
        while Instant::now() + EACH < until {
            wait(Instant::now() + EACH);
            look(&mut seen, false);
        }
        wait(until);
        look(&mut seen, false);
        let mut split = Split {
            machine: machine()? - before,
            ..Split::default()
        };
        for process in seen.into_values() {
            *process.part.of(&mut split) += process.last - process.first;
        }
        Ok(split)
    })
}

/// What the thread found.
pub(crate) fn found(thread: JoinHandle<Result<Split>>) -> Result<Split> {
    thread.join().map_err(|_| anyhow!("the watch panicked"))?
}

/// Waits in a thread of nobody else.
#[expect(
    clippy::disallowed_methods,
    reason = "a thread of a benchmark's own, no executor's"
)]
pub(crate) fn wait(until: Instant) {
    thread::sleep(until.saturating_duration_since(Instant::now()));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Dockerd,
    Containerd,
    Saferund,
}

impl Part {
    fn named(name: &str) -> Option<Self> {
        match name {
            "dockerd" => Some(Self::Dockerd),
            "saferund" => Some(Self::Saferund),
            _ if name.starts_with("containerd") => Some(Self::Containerd),
            _ => None,
        }
    }

    fn of(self, split: &mut Split) -> &mut f64 {
        match self {
            Self::Dockerd => &mut split.dockerd,
            Self::Containerd => &mut split.containerd,
            Self::Saferund => &mut split.saferund,
        }
    }
}

struct Process {
    part: Part,
    first: f64,
    last: f64,
}

/// Notes each process of interest; one that was not there at the first look did all of its work since.
fn look(seen: &mut HashMap<u32, Process>, first: bool) {
    let Ok(all) = fs::read_dir("/proc") else {
        return;
    };
    for entry in all.flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let Some((part, used)) = fs::read_to_string(entry.path().join("stat"))
            .ok()
            .and_then(|stat| of_stat(&stat))
        else {
            continue;
        };
        let process = seen.entry(pid).or_insert(Process {
            part,
            first: if first { used } else { 0.0 },
            last: used,
        });
        process.last = used;
    }
}

/// From `/proc/PID/stat`: whose it is, and its time with that of children that it has waited for.
fn of_stat(stat: &str) -> Option<(Part, f64)> {
    let (head, rest) = stat.rsplit_once(')')?;
    let part = Part::named(head.split_once('(')?.1)?;
    let ticks: f64 = rest
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    Some((part, ticks * TICK))
}

/// All that was not idle, from `/proc/stat`: user, nice, system, then idle and iowait, which are left out; irq, softirq.
fn machine() -> Result<f64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let fields: Vec<f64> = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    let busy: f64 = [0, 1, 2, 5, 6]
        .iter()
        .filter_map(|index| fields.get(*index))
        .sum();
    Ok(busy * TICK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_by_its_name_with_the_time_of_its_children() {
        let stat = "77 (containerd-shim) S 1 77 77 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 12 0 5 6";
        let (part, used) = of_stat(stat).unwrap();
        assert_eq!(part, Part::Containerd);
        assert!((used - 1000.0).abs() < 1e-9);
        assert!(of_stat("7 (bash) S 1 7 7 0 -1 0 1 2 3 4 1 2 3 4").is_none());
    }

    #[test]
    fn what_the_machine_does_meanwhile_is_seen() {
        let began = Instant::now();
        let until = began + Duration::from_millis(250);
        let watch = watch(began, until);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        let split = found(watch).unwrap();
        assert!(split.machine >= 10.0 * TICK, "{split:?}");
    }
}
