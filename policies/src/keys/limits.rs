//! Keys of `limits`: each with a `default` and a `max`, or a single number where a request has no say.

use super::{Key, Kind, Scope};
use crate::limits::{MAX_RETURNED, MAX_SOURCE, floor};
use crate::rate::MAX_COUNT;
use crate::units::{Bytes, MilliCpus};
use crate::value::Tighten;

const HOUR: u64 = 3_600_000;

/// Both halves of a limit that a request may choose.
macro_rules! bounded {
    ($path:literal, $kind:expr, $doc:literal) => {
        [
            Key {
                path: concat!("limits.", $path, ".default"),
                kind: $kind,
                tighten: Tighten::Lower,
                scope: Scope::Any,
                doc: concat!($doc, " What a run gets unasked."),
            },
            Key {
                path: concat!("limits.", $path, ".max"),
                kind: $kind,
                tighten: Tighten::Lower,
                scope: Scope::Any,
                doc: concat!($doc, " The most that a request may ask for."),
            },
        ]
    };
}

const fn single(path: &'static str, kind: Kind, tighten: Tighten, doc: &'static str) -> Key {
    Key {
        path,
        kind,
        tighten,
        scope: Scope::Any,
        doc,
    }
}

pub(super) fn keys() -> Vec<Key> {
    let bytes = |min, max| Kind::Bytes { min, max };
    let mut keys = Vec::new();
    keys.extend(bounded!(
        "time",
        Kind::Time {
            min: 50,
            max: 24 * HOUR
        },
        "Wall-clock time of a run, without the time it waited for a place."
    ));
    keys.extend(bounded!(
        "memory",
        bytes(floor::MEMORY, Bytes::gib(1024)),
        "Memory of the whole run; swap is never added."
    ));
    keys.extend(bounded!(
        "cpus",
        Kind::Cpus {
            min: floor::CPUS,
            max: MilliCpus::cpus(1024)
        },
        "Share of processors."
    ));
    keys.extend(bounded!(
        "pids",
        Kind::Count {
            min: floor::PIDS,
            max: 32_768
        },
        "Processes and threads together."
    ));
    keys.extend(bounded!(
        "open_files",
        Kind::Count {
            min: floor::OPEN_FILES,
            max: 1_048_576
        },
        "Open file descriptors of each process."
    ));
    keys.extend(bounded!(
        "tmpfs",
        bytes(floor::TMPFS, Bytes::gib(64)),
        "Size of each writable in-memory folder."
    ));
    keys.extend(bounded!(
        "output",
        bytes(floor::OUTPUT, Bytes::gib(1)),
        "Bytes kept of each of stdout and stderr; head and tail are kept, the rest is counted."
    ));
    keys.extend(bounded!(
        "source",
        bytes(floor::SOURCE, MAX_SOURCE),
        "Size of the code; the files handed in beside it count against `max`."
    ));
    keys.extend(bounded!(
        "artifacts",
        bytes(Bytes(0), MAX_RETURNED),
        "Bytes of all files that a run hands back."
    ));
    keys.extend(bounded!(
        "artifact_count",
        Kind::Count {
            min: 0,
            max: 100_000
        },
        "Number of files that a run hands back."
    ));
    keys.extend(traffic());
    keys
}

/// How many runs, at once and in a while.
fn traffic() -> [Key; 6] {
    [
        single(
            "limits.concurrency",
            Kind::Count { min: 1, max: 1024 },
            Tighten::Lower,
            "Runs at the same time.",
        ),
        single(
            "limits.queue",
            Kind::Count {
                min: 0,
                max: 100_000,
            },
            Tighten::Lower,
            "Runs that may wait for a place; one more is refused at once.",
        ),
        single(
            "limits.queue_wait",
            Kind::Time {
                min: 1_000,
                max: 24 * HOUR,
            },
            Tighten::Lower,
            "How long a run may wait for a place and a container; then it is refused.",
        ),
        single(
            "limits.rate.per_client",
            Kind::Rates { max: MAX_COUNT },
            Tighten::Both,
            "Runs of one user in any window of this length, as `10/1m`, a list of such, or `none`.",
        ),
        single(
            "limits.rate.per_code",
            Kind::Rates { max: MAX_COUNT },
            Tighten::Both,
            "Runs of the same code by the same user in any window, as `10/1h`, a list, or `none`.",
        ),
        single(
            "limits.rate.reserved_for_people",
            Kind::Percent { max: 90 },
            Tighten::Higher,
            "Share of rate and concurrency that terminals and editors have to themselves.",
        ),
    ]
}
