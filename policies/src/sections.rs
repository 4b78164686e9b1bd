//! The typed sections of a policy besides limits and levels.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::decision::ClientKind;
use crate::rate::Rate;
use crate::units::Bytes;

/// Declares an enum whose variants are words of the language.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// All of them, in the order of the language's list.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word of the language.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            pub(crate) fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}

words! {
    /// What the code reaches on the network; loosest first.
    Network {
        /// A private loopback: the program can talk to itself.
        Loopback = "loopback",
        /// Nothing at all.
        None = "none",
    }
}

words! {
    /// What happens when the host cannot hold a limit.
    Enforcement {
        /// The run goes ahead and says which limit does not hold.
        BestEffort = "best_effort",
        /// The run is refused, with the limit's name.
        Strict = "strict",
    }
}

words! {
    /// A folder that a run may write to, in memory.
    Folder {
        /// `/tmp`.
        Tmp = "tmp",
        /// `/workspace`, where the code stands.
        Workspace = "workspace",
        /// `/out`, from which files are handed back.
        Out = "out",
        /// The home folder with its decoys.
        Home = "home",
    }
}

words! {
    /// How much of a run is observed.
    Trace {
        /// Nothing beyond outcome and usage.
        Off = "off",
        /// Counts and first occurrences.
        Summary = "summary",
        /// Each event.
        Full = "full",
    }
}

words! {
    /// What the record keeps of the code.
    SourceRecord {
        /// Its hash.
        Hash = "hash",
        /// The text, without the secrets that the scanner found.
        Redacted = "redacted",
        /// The text.
        Full = "full",
    }
}

words! {
    /// Which image variant a run uses.
    Variant {
        /// The smallest one that has the imports.
        Auto = "auto",
        /// The standard library.
        Python = "python",
        /// With the packages that models import most.
        PythonData = "python-data",
        /// JavaScript.
        Node = "node",
    }
}

words! {
    /// What the watch does on a finding.
    Response {
        /// Shows it in the editors and `saferunctl watch`.
        Show = "show",
        /// Tells the desktop.
        Notify = "notify",
        /// Runs the code in the sandbox and attaches the result.
        Run = "run",
        /// Takes the file's permissions away until it is released.
        Quarantine = "quarantine",
    }
}

/// When a run that the policy stops may go ahead all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverrideRules {
    /// Whether there is an override at all.
    pub allowed: bool,
    /// Whether a reason must be given.
    pub reason_required: bool,
    /// Whether it works without a person; only the user layer can say so.
    pub unattended: bool,
    /// Which clients may use it.
    pub who: Vec<ClientKind>,
}

/// What a run hands back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returns {
    /// stdout and stderr.
    pub output: bool,
    /// Files written to `/out`.
    pub artifacts: bool,
    /// Changes to the workspace.
    pub diff: bool,
}

/// Which image, and how old it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRules {
    /// Which variant.
    pub variant: Variant,
    /// Age from which each run warns.
    pub warn_age: Duration,
    /// Age from which nothing runs in it.
    pub refuse_age: Duration,
}

/// What is recorded, and how surely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRules {
    /// Whether a record survives a loss of power (else: the end of the daemon).
    pub survives_power_loss: bool,
    /// What is kept of the code.
    pub source: SourceRecord,
    /// Whether the output is kept.
    pub output: bool,
    /// Whether a run that cannot be recorded is refused.
    pub refuse_unrecorded: bool,
}

/// How long bodies of records are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// By age.
    pub age: Duration,
    /// By room.
    pub size: Bytes,
    /// Runs that `history` shows.
    pub show: u32,
}

/// When to raise an alert, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRules {
    /// Refused runs beyond any of these rates.
    pub refused: Vec<Rate>,
    /// Failed runs beyond any of these rates.
    pub failed: Vec<Rate>,
    /// No second alert of a kind within this time.
    pub quiet: Duration,
    /// Program and arguments; empty for none. Never run by a shell.
    pub command: Vec<String>,
}

/// What the watch looks at, and what it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchRules {
    /// Folders that are always watched.
    pub roots: Vec<String>,
    /// Globs of paths that are passed over.
    pub ignore: Vec<String>,
    /// Whether only what a model wrote is told and answered; everything is scanned.
    pub only_generated: bool,
    /// Globs of paths whose content counts as written by a model.
    pub generated_paths: Vec<String>,
    /// Texts that mark a file as written by a model.
    pub generated_markers: Vec<String>,
    /// Absolute folders all of whose content counts as written by a model.
    pub generated_folders: Vec<String>,
    /// A revision of git: what differs from where HEAD left it counts as written by a model. Empty for none.
    pub generated_since: String,
    /// Responses at LOW, MEDIUM, HIGH and BLOCKED.
    pub on_finding: [Vec<Response>; 4],
    /// How often the watch may notify, run and quarantine by itself, each counted apart.
    pub rate: Vec<Rate>,
}
