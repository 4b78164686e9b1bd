//! The file watch as it travels: what is watched, what was found, what became of it. Paths are names
//! of the host here, and only here: see docs/decisions for why, and what bounds them.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::{
    finding::{Finding, Risk},
    result::{Outcome, RunResult},
};

/// Most roots that one subscription may name.
pub const MAX_WATCH_ROOTS: usize = 16;
/// Most paths that one announcement may name.
pub const MAX_ANNOUNCED: usize = 1_000;

/// A path of the host. Names on Linux are bytes: those that are not UTF-8 travel as base64 as well.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostPath {
    /// The path as text; what is not UTF-8 is replaced by U+FFFD, for people to read.
    pub path: String,
    /// The exact bytes, only if they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path_base64: Option<String>,
}

impl HostPath {
    /// The path as the system takes it; `None` if the base64 is none, or a NUL is in it.
    #[must_use]
    pub fn to_path(&self) -> Option<PathBuf> {
        let bytes = match &self.path_base64 {
            Some(base64) => STANDARD.decode(base64).ok()?,
            None => self.path.clone().into_bytes(),
        };
        (!bytes.contains(&0)).then(|| PathBuf::from(OsStr::from_bytes(&bytes)))
    }
}

impl From<&Path> for HostPath {
    fn from(path: &Path) -> Self {
        let bytes = path.as_os_str().as_bytes();
        let exact = std::str::from_utf8(bytes).is_err();
        Self {
            path: String::from_utf8_lossy(bytes).into_owned(),
            path_base64: exact.then(|| STANDARD.encode(bytes)),
        }
    }
}

/// What to watch. Every field but `roots` may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct WatchRequest {
    /// Folders, as absolute paths; at most [`MAX_WATCH_ROOTS`]. One within another counts once.
    pub roots: Vec<HostPath>,
    /// Tell only of what a model wrote, as the policy recognises it.
    pub only_generated: bool,
    /// Tell only of files whose risk is at least this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<Risk>,
}

impl WatchRequest {
    /// A watch of these folders with everything else at its default.
    #[must_use]
    pub fn new(roots: Vec<HostPath>) -> Self {
        Self {
            roots,
            ..Self::default()
        }
    }
}

/// How a root is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RootState {
    /// A first scan, or one after events were lost, is under way.
    Scanning,
    /// All is scanned; the kernel tells of changes.
    Watching,
    /// All is scanned; changes are looked for at intervals, and the `reason` says why.
    Polling,
    /// The folder is not there; it is taken up again when it comes back.
    Gone,
}

/// A watched folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WatchRoot {
    /// Its canonical path.
    pub root: HostPath,
    /// How it is doing.
    pub state: RootState,
    /// Why it is polled or gone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Files looked at.
    pub files: u64,
    /// Folders looked into.
    pub folders: u64,
    /// Files with findings.
    pub with_findings: u64,
    /// Folders passed over by the policy's `watch.ignore`, relative to the root; the first 32.
    #[serde(default)]
    pub skipped: Vec<String>,
    /// Subscribers at this time; a root of the policy's stays without any.
    #[serde(default)]
    pub subscribers: u32,
}

impl WatchRoot {
    /// A root that was just added.
    #[must_use]
    pub fn new(root: HostPath) -> Self {
        Self {
            root,
            state: RootState::Scanning,
            reason: None,
            files: 0,
            folders: 0,
            with_findings: 0,
            skipped: Vec::new(),
            subscribers: 0,
        }
    }
}

/// Why a file counts as written by a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Generated {
    /// Its path matches this glob of the policy's `watch.generated.paths`.
    Path {
        /// The glob.
        glob: String,
    },
    /// It holds this text of the policy's `watch.generated.markers`.
    Marker {
        /// The text.
        marker: String,
    },
    /// It is in this folder of the policy's `watch.generated.folders`.
    Folder {
        /// The folder.
        folder: String,
    },
    /// It differs from a commit, by the policy's `watch.generated.since`.
    Since {
        /// The commit, in hexadecimal; the revision itself where git knows no such commit, and all counts as new.
        commit: String,
    },
    /// An agent's hook announced it.
    Announced {
        /// What the agent calls itself.
        tool: String,
    },
}

/// All that is to be said of one file; replaces whatever was said of it before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WatchedFile {
    /// The root it belongs to.
    pub root: HostPath,
    /// Its absolute path.
    pub file: HostPath,
    /// SHA-256 of the content that was scanned, in hexadecimal; empty if it could not be read.
    pub sha256: String,
    /// The highest level found.
    pub risk: Risk,
    /// What was found, in order of position; the same as `saferunctl scan` finds.
    pub findings: Vec<Finding>,
    /// Findings beyond the first 1,000, which are not in the list.
    #[serde(default)]
    pub more_findings: u64,
    /// Why the file could not be scanned, if it could not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<String>,
    /// Why it counts as written by a model, if it does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub generated: Option<Generated>,
    /// Whether the watch took all rights from it; `saferun.watchRelease` gives them back.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub quarantined: bool,
    /// What became of this content in the sandbox, where the policy has the watch run it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<WatchRun>,
}

/// A run that the watch began by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WatchRun {
    /// Its id in the history; empty if it was not accepted.
    pub id: String,
    /// How it ended; none if it was not accepted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<Outcome>,
    /// The program's own exit code, if it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exit_code: Option<u8>,
    /// What happened, in a sentence.
    pub message: String,
}

impl WatchRun {
    /// A run that was not accepted, and why.
    #[must_use]
    pub fn refused(why: impl Into<String>) -> Self {
        Self {
            id: String::new(),
            status: None,
            exit_code: None,
            message: why.into(),
        }
    }

    /// A run that is over.
    #[must_use]
    pub fn ended(result: &RunResult) -> Self {
        Self {
            id: result.id.clone(),
            status: Some(result.status),
            exit_code: result.exit_code,
            message: result.message.clone(),
        }
    }
}

impl WatchedFile {
    /// A file without findings.
    #[must_use]
    pub fn new(root: HostPath, file: HostPath) -> Self {
        Self {
            root,
            file,
            sha256: String::new(),
            risk: Risk::Low,
            findings: Vec::new(),
            more_findings: 0,
            problem: None,
            generated: None,
            quarantined: false,
            run: None,
        }
    }
}

/// An item of a `saferun.subscribeWatch` subscription. For each root first `root`, then a `file` for each
/// file with findings, then `ready`; from then on what changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum WatchEvent {
    /// How a root is doing, first and whenever it changes.
    Root(WatchRoot),
    /// A scan of a whole root goes on; at most a few each second.
    Progress {
        /// The root.
        root: HostPath,
        /// Files looked at so far.
        files: u64,
        /// Folders looked into so far.
        folders: u64,
    },
    /// What is to be said of a file; replaces what was said before.
    File(Box<WatchedFile>),
    /// Nothing is to be said of this file any more: it is clean, or gone.
    Cleared {
        /// The root.
        root: HostPath,
        /// The file's absolute path.
        file: HostPath,
    },
    /// Everything that was in the root has been told.
    Ready(WatchRoot),
    /// Something that a person should know.
    Notice {
        /// The root.
        root: HostPath,
        /// What happened.
        message: String,
        /// What to do about it, or what the watch does.
        advice: String,
    },
    /// This subscriber was too slow: forget all that was said of the root; it is told again from the start.
    Resync {
        /// The root.
        root: HostPath,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_utf8_survives_the_wire() {
        let bytes: &[u8] = b"/tmp/caf\xe9/\xff.py";
        let path = PathBuf::from(OsStr::from_bytes(bytes));
        let sent = HostPath::from(path.as_path());
        assert_eq!(sent.path, "/tmp/caf\u{fffd}/\u{fffd}.py");
        let json = serde_json::to_string(&sent).unwrap();
        let received: HostPath = serde_json::from_str(&json).unwrap();
        assert_eq!(received.to_path(), Some(path));
    }

    #[test]
    fn a_name_with_a_nul_or_broken_base64_is_none() {
        let nul = HostPath {
            path: "/tmp/a\0b".to_owned(),
            path_base64: None,
        };
        assert_eq!(nul.to_path(), None);
        let broken = HostPath {
            path: String::new(),
            path_base64: Some("%%".to_owned()),
        };
        assert_eq!(broken.to_path(), None);
    }

    #[test]
    fn items_are_told_apart_by_their_event() {
        let root = HostPath::from(Path::new("/w"));
        let item = WatchEvent::Ready(WatchRoot::new(root));
        let json = serde_json::to_value(&item).unwrap();
        assert_eq!(json["event"], "ready");
        assert_eq!(json["root"]["path"], "/w");
        assert_eq!(serde_json::from_value::<WatchEvent>(json).unwrap(), item);
    }
}
