//! The table: for each key of `limits` one test, over each figure that a preset has for it. Presets with the same figure
//! share the try; which they are is said beside it.

use std::{collections::BTreeMap, fmt};

use saferun_policy::{Bounded, Limits, documented_keys, preset, preset_names};
use saferun_protocol::RunRequest;
use saferun_tests::Daemon;

use super::{files, maxima::at_most, rates, request, resources, time, traffic};

/// One figure of one limit.
pub(crate) struct Cell {
    /// The limit's key.
    pub(crate) key: &'static str,
    /// The figure as the policy spells it.
    pub(crate) figure: String,
    /// Who has it: a run under the first of them is tried.
    pub(crate) presets: Vec<&'static str>,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, others) = self.presets.split_first().expect("one has it");
        write!(f, "{}: {} under {first}", self.key, self.figure)?;
        if !others.is_empty() {
            write!(f, " (the same as {})", others.join(", "))?;
        }
        Ok(())
    }
}

impl Cell {
    /// The preset under which it is tried.
    pub(crate) fn preset(&self) -> &'static str {
        self.presets[0]
    }

    /// That preset's limits.
    pub(crate) fn limits(&self) -> Limits {
        preset(self.preset()).expect("a preset").limits
    }

    /// Whether it is what a request may ask for, and not what it gets unasked.
    pub(crate) fn is_max(&self) -> bool {
        self.key.rsplit('.').next() == Some("max")
    }

    /// The half of a limit that this is about.
    pub(crate) fn of<T: Copy>(&self, bounded: &Bounded<T>) -> T {
        if self.is_max() {
            bounded.max
        } else {
            bounded.default
        }
    }

    /// A run that has this figure: unasked for a default, else by asking for all that the preset grants.
    pub(crate) fn request(&self, source: impl Into<String>) -> RunRequest {
        if self.is_max() {
            at_most(self.preset(), source)
        } else {
            request(self.preset(), source)
        }
    }
}

/// The cells of one limit. Presets whose rules let any program run come before others.
pub(crate) fn cells(key: &'static str) -> Vec<Cell> {
    let mut names = preset_names().to_vec();
    // No import, then seven imports that are refused.
    names.sort_by_key(|name| match *name {
        "safe-executor" => 2,
        "secure-sandbox" => 1,
        _ => 0,
    });
    let mut found: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for name in names {
        let shown = preset(name).expect("a preset").show();
        let line = shown.into_iter().find(|line| line.key == key);
        let figure = line.expect("each preset has each limit").value;
        found.entry(figure).or_default().push(name);
    }
    found
        .into_iter()
        .map(|(figure, presets)| Cell {
            key,
            figure,
            presets,
        })
        .collect()
}

/// Tries each cell of a limit over one daemon.
fn shared(key: &'static str, case: fn(&Daemon, &Cell)) {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    for cell in cells(key) {
        case(&daemon, &cell);
    }
}

/// Tries each cell of a limit with daemons of its own.
fn alone(key: &'static str, case: fn(&Cell)) {
    for cell in cells(key) {
        case(&cell);
    }
}

/// Tests by the keys that they try.
macro_rules! cases {
    ($($test:ident: $key:literal, $how:ident $case:path;)*) => {
        const KEYS: &[&str] = &[$($key),*];
        $(#[test]
        fn $test() {
            $how($key, $case);
        })*
    };
}

cases! {
    time_default: "limits.time.default", alone time::ends_a_run;
    time_max: "limits.time.max", alone time::ends_a_run;
    memory_default: "limits.memory.default", shared resources::memory;
    memory_max: "limits.memory.max", shared resources::memory;
    cpus_default: "limits.cpus.default", shared resources::cpus;
    cpus_max: "limits.cpus.max", shared resources::cpus;
    pids_default: "limits.pids.default", shared resources::pids;
    pids_max: "limits.pids.max", shared resources::pids;
    open_files_default: "limits.open_files.default", shared resources::open_files;
    open_files_max: "limits.open_files.max", shared resources::open_files;
    tmpfs_default: "limits.tmpfs.default", shared resources::tmpfs;
    tmpfs_max: "limits.tmpfs.max", shared resources::tmpfs;
    output_default: "limits.output.default", shared files::output;
    output_max: "limits.output.max", shared files::output;
    source_default: "limits.source.default", shared files::source;
    source_max: "limits.source.max", shared files::source;
    artifacts_default: "limits.artifacts.default", shared files::artifacts;
    artifacts_max: "limits.artifacts.max", shared files::artifacts;
    artifact_count_default: "limits.artifact_count.default", shared files::artifact_count;
    artifact_count_max: "limits.artifact_count.max", shared files::artifact_count;
    concurrency: "limits.concurrency", alone traffic::places;
    queue: "limits.queue", alone traffic::places;
    queue_wait: "limits.queue_wait", alone time::ends_a_wait;
    rate_per_client: "limits.rate.per_client", alone rates::per_client;
    rate_per_code: "limits.rate.per_code", alone rates::per_code;
    reserved_for_people: "limits.rate.reserved_for_people", alone traffic::share_of_people;
}

#[test]
fn each_limit_of_the_language_has_a_case() {
    let mut limits = documented_keys();
    limits.retain(|(key, _)| key.starts_with("limits."));
    let limits: Vec<_> = limits.into_iter().map(|(key, _)| key).collect();
    assert_eq!(limits, KEYS);
}

#[test]
fn each_preset_stands_in_one_cell_of_each_limit() {
    for key in KEYS {
        let cells = cells(key);
        let mut named: Vec<_> = cells.iter().flat_map(|cell| &cell.presets).collect();
        named.sort();
        let mut all: Vec<_> = preset_names().iter().collect();
        all.sort();
        assert_eq!(named, all, "{key}");
        for cell in cells {
            // What tries it has to import, unless it says otherwise.
            let free = ["limits.memory.default", "limits.memory.max"].contains(key);
            assert!(free || cell.preset() != "safe-executor", "{cell}");
        }
    }
}
