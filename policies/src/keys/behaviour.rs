//! Keys for what happens: levels, isolation, overrides, what is observed, kept, told and watched.

use super::{Key, Kind, Scope, Texts};
use crate::rate::{MAX_ALERT_COUNT, MAX_WATCH_COUNT};
use crate::value::Tighten;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// Where a run may write; each is an in-memory folder of its own.
const FOLDERS: &[&str] = &["tmp", "workspace", "out", "home"];
const CLIENTS: &[&str] = &["terminal", "editor", "watch", "agent"];
const RESPONSES: &[&str] = &["show", "notify", "run", "quarantine"];

const fn any(path: &'static str, kind: Kind, tighten: Tighten, doc: &'static str) -> Key {
    Key {
        path,
        kind,
        tighten,
        scope: Scope::Any,
        doc,
    }
}

const fn trusted(path: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key {
        path,
        kind,
        tighten: Tighten::Never,
        scope: Scope::Trusted,
        doc,
    }
}

pub(super) fn keys() -> Vec<Key> {
    [decisions(), isolation(), observation(), records(), watch()]
        .into_iter()
        .flatten()
        .collect()
}

fn decisions() -> Vec<Key> {
    use Tighten::{Fewer, Higher, Join, Lower, Never};
    vec![
        any(
            "description",
            Kind::Text { max: 2000 },
            Never,
            "What this policy is for, in words.",
        ),
        any(
            "levels.LOW",
            Kind::Action,
            Join,
            "What happens to a run whose risk is LOW.",
        ),
        any(
            "levels.MEDIUM",
            Kind::Action,
            Join,
            "What happens to a run whose risk is MEDIUM.",
        ),
        any(
            "levels.HIGH",
            Kind::Action,
            Join,
            "What happens to a run whose risk is HIGH.",
        ),
        any(
            "levels.BLOCKED",
            Kind::Action,
            Join,
            "What happens to a run whose risk is BLOCKED.",
        ),
        any(
            "override.allowed",
            Kind::Bool,
            Lower,
            "Whether a person may let a stopped run go ahead.",
        ),
        any(
            "override.reason_required",
            Kind::Bool,
            Higher,
            "Whether an override needs a reason in words.",
        ),
        any(
            "override.who",
            Kind::Words(CLIENTS),
            Fewer,
            "Which clients may override.",
        ),
        Key {
            path: "override.unattended",
            kind: Kind::Bool,
            tighten: Lower,
            scope: Scope::User,
            doc: "Whether an override works where no person answers a prompt, and scripts may loosen the policy; for the user's own file only.",
        },
        any(
            "suppressions",
            Kind::Word(&["honour", "ignore"]),
            Higher,
            "Whether comments in the code may silence findings.",
        ),
    ]
}

fn isolation() -> Vec<Key> {
    use Tighten::{Fewer, Higher, Lower};
    vec![
        any(
            "network",
            Kind::Word(&["loopback", "none"]),
            Higher,
            "What the code may count on: `loopback` promises a private one, `none` promises nothing.",
        ),
        any(
            "runtime",
            Kind::Word(&["runc", "runsc"]),
            Higher,
            "The least strict tier that carries a run: `runc`, or `runsc` (gVisor).",
        ),
        Key {
            path: "enforcement",
            kind: Kind::Word(&["best_effort", "strict"]),
            tighten: Higher,
            scope: Scope::User,
            doc: "`strict` refuses a run when the host cannot hold a limit; `best_effort` is for the user's own file only.",
        },
        any(
            "filesystem.writable",
            Kind::Words(FOLDERS),
            Fewer,
            "Which folders a run may write to; all others are read-only.",
        ),
        any(
            "returns.output",
            Kind::Bool,
            Lower,
            "Whether stdout and stderr are handed back.",
        ),
        any(
            "returns.artifacts",
            Kind::Bool,
            Lower,
            "Whether files written to /out are handed back.",
        ),
        any(
            "returns.diff",
            Kind::Bool,
            Lower,
            "Whether changes to the workspace are handed back.",
        ),
        any(
            "image.variant",
            Kind::Word(&["auto", "python", "python-data", "node"]),
            Tighten::Never,
            "Which image variant a run uses; `auto` takes the smallest that has the imports.",
        ),
        any(
            "image.warn_age",
            Kind::Time {
                min: HOUR,
                max: 3650 * DAY,
            },
            Lower,
            "Age of an image from which each run warns.",
        ),
        any(
            "image.refuse_age",
            Kind::Time {
                min: HOUR,
                max: 3650 * DAY,
            },
            Lower,
            "Age of an image from which nothing runs in it.",
        ),
    ]
}

fn observation() -> Vec<Key> {
    use Tighten::Higher;
    vec![
        any(
            "trace",
            Kind::Word(&["off", "summary", "full"]),
            Higher,
            "How much of what a run does is observed, unless the request says more: `summary` by the kernel, `full` with the lines that the program says too.",
        ),
        any(
            "effects",
            Kind::Word(&["off", "on"]),
            Higher,
            "Whether a run reports what it would have changed outside.",
        ),
    ]
}

fn records() -> Vec<Key> {
    use Tighten::{Higher, Never};
    vec![
        any(
            "audit.durability",
            Kind::Word(&["process", "power"]),
            Higher,
            "What a record survives: the end of the daemon, or a loss of power.",
        ),
        any(
            "audit.source",
            Kind::Word(&["hash", "redacted", "full"]),
            Never,
            "What the record keeps of the code: its hash, its text without secrets, or its text as it is.",
        ),
        any(
            "audit.output",
            Kind::Bool,
            Never,
            "Whether the record keeps the output.",
        ),
        any(
            "audit.on_failure",
            Kind::Word(&["run", "refuse"]),
            Higher,
            "What happens to a run that cannot be recorded.",
        ),
        any(
            "retention.age",
            Kind::Time {
                min: HOUR,
                max: 3650 * DAY,
            },
            Never,
            "How long bodies of records are kept; the chain of hashes stays.",
        ),
        any(
            "retention.size",
            Kind::Bytes {
                min: crate::Bytes::mib(1),
                max: crate::Bytes::gib(1024),
            },
            Never,
            "How much room bodies of records may take; the oldest go first.",
        ),
        any(
            "retention.show",
            Kind::Count {
                min: 1,
                max: 10_000,
            },
            Never,
            "How many runs `history` shows.",
        ),
        trusted(
            "alerts.refused",
            Kind::Rates {
                max: MAX_ALERT_COUNT,
            },
            "Refused runs beyond this rate raise an alert, as `5/10m`; at most 9999 in a window.",
        ),
        trusted(
            "alerts.failed",
            Kind::Rates {
                max: MAX_ALERT_COUNT,
            },
            "Failed runs beyond this rate raise an alert, as `20/10m`; at most 9999 in a window.",
        ),
        trusted(
            "alerts.quiet",
            Kind::Time {
                min: 1000,
                max: 30 * DAY,
            },
            "No second alert of a kind within this time.",
        ),
        trusted(
            "alerts.command",
            Kind::Texts {
                max: 32,
                what: Texts::Command,
            },
            "Program with arguments to run on an alert, without a shell; empty for none.",
        ),
    ]
}

fn watch() -> Vec<Key> {
    let respond = Kind::Words(RESPONSES);
    vec![
        trusted(
            "watch.roots",
            Kind::Texts {
                max: 64,
                what: Texts::Folders,
            },
            "Folders that are always watched, as absolute paths.",
        ),
        trusted(
            "watch.ignore",
            Kind::Texts {
                max: 256,
                what: Texts::Globs,
            },
            "Paths that the watch passes over, as globs, besides those of .gitignore.",
        ),
        trusted(
            "watch.only_generated",
            Kind::Bool,
            "Whether only what a model wrote is told and answered; everything is scanned.",
        ),
        trusted(
            "watch.generated.paths",
            Kind::Texts {
                max: 256,
                what: Texts::Globs,
            },
            "Paths whose content counts as written by a model.",
        ),
        trusted(
            "watch.generated.markers",
            Kind::Texts {
                max: 64,
                what: Texts::Plain,
            },
            "Texts that mark a file as written by a model.",
        ),
        trusted(
            "watch.generated.folders",
            Kind::Texts {
                max: 64,
                what: Texts::Folders,
            },
            "Folders of a model's tools, as absolute paths: all in them counts as written by a model.",
        ),
        trusted(
            "watch.generated.since",
            Kind::Text { max: 250 },
            "A revision of git, as in `HEAD` or `main`: what differs from where HEAD left it counts as written by a model; empty for none.",
        ),
        trusted(
            "watch.on_finding.LOW",
            respond,
            "What the watch does on a finding that is LOW.",
        ),
        trusted(
            "watch.on_finding.MEDIUM",
            respond,
            "What the watch does on a finding that is MEDIUM.",
        ),
        trusted(
            "watch.on_finding.HIGH",
            respond,
            "What the watch does on a finding that is HIGH.",
        ),
        trusted(
            "watch.on_finding.BLOCKED",
            respond,
            "What the watch does on a finding that is BLOCKED.",
        ),
        trusted(
            "watch.rate",
            Kind::Rates {
                max: MAX_WATCH_COUNT,
            },
            "How often the watch may notify, run and quarantine by itself, each counted apart; at most 10000 in a window.",
        ),
    ]
}
