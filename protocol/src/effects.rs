//! Files that go in with a run, and what comes back of it: changes, artifacts, behaviour. Names and contents that come
//! back were chosen by the code that ran: whoever writes them anywhere checks them again.

use std::collections::BTreeMap;

pub use saferun_frames::LeftBehind;
use saferun_frames::{EventKind, TraceEvent};
use serde::{Deserialize, Serialize};

/// Most files that go in with a run.
pub const MAX_INPUT_FILES: usize = 4096;

/// A file for the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InputFile {
    /// Path below `/workspace`, with `/`: relative, without `.` and `..`, at most 1024 bytes and 64 folders deep.
    pub path: String,
    /// Content in standard base64 with padding.
    pub base64: String,
    /// Whether its executable bit is set.
    pub executable: bool,
}

/// Which folder of the sandbox a path is below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Place {
    /// `/workspace`: the project, if one was sent.
    Workspace,
    /// HOME, with its decoys.
    Home,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was not there before.
    Created,
    /// Its type, content or mode is another.
    Modified,
    /// It is gone.
    Deleted,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EntryType {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Symlink,
    /// A FIFO.
    Fifo,
    /// A socket.
    Socket,
    /// A device.
    Device,
}

/// An entry as it was before, or is after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EntryState {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: EntryType,
    /// Permission bits.
    pub mode: u32,
    /// Length in bytes; 0 for what is no file.
    pub size: u64,
    /// SHA-256 of the content in hexadecimal; absent for what is no file or was too much to read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<String>,
    /// Where a symbolic link points.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<String>,
}

impl EntryState {
    /// An entry without content and target.
    #[must_use]
    pub const fn new(kind: EntryType, mode: u32, size: u64) -> Self {
        Self {
            kind,
            mode,
            size,
            sha256: None,
            target: None,
        }
    }
}

/// One entry that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// Which folder it is in.
    pub place: Place,
    /// Path below that folder, checked as [`InputFile::path`] is; any other character may stand in it.
    pub path: String,
    /// What became of it.
    pub kind: ChangeKind,
    /// Before the run; absent for what was created.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<EntryState>,
    /// After the run; absent for what was deleted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<EntryState>,
    /// Content after the run, whose hash the daemon has checked; absent where it was over the limit, and in the record.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content_base64: Option<String>,
}

impl Change {
    /// A change without states and content.
    #[must_use]
    pub const fn new(place: Place, path: String, kind: ChangeKind) -> Self {
        Self {
            place,
            path,
            kind,
            before: None,
            after: None,
            content_base64: None,
        }
    }
}

/// What a run changed, had it been let: nothing of it has happened outside the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Effects {
    /// By folder and path; first what is there, then what is gone.
    pub changes: Vec<Change>,
    /// Whether these are all changes to the two folders.
    pub complete: bool,
    /// What was not looked at or left out, in sentences.
    pub notes: Vec<String>,
}

/// A file that the run left in `/out`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Artifact {
    /// Path below `/out`, checked as [`InputFile::path`] is.
    pub path: String,
    /// Length in bytes.
    pub size: u64,
    /// SHA-256 of the content in hexadecimal; absent where it was too much to read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<String>,
    /// Content; absent where it was over the limit, and in the record.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content_base64: Option<String>,
}

impl Artifact {
    /// An artifact without content.
    #[must_use]
    pub const fn new(path: String, size: u64) -> Self {
        Self {
            path,
            size,
            sha256: None,
            content_base64: None,
        }
    }
}

/// What a run was seen doing, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Trace {
    /// Each thing once, with how often it happened. Every text in them was written by the program.
    pub events: Vec<TraceEvent>,
    /// Which of the events no finding predicted, as places in `events` from 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unforetold: Vec<u32>,
    /// Why the kernel's word is missing, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<String>,
    /// Things that happened, those that are not told included.
    pub total: u64,
    /// Things that are not told, because their kind had been told of often enough: whether a certain one of these kinds
    /// happened is then not known.
    pub left_out: u64,
    /// How many of each kind they are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out_by_kind: BTreeMap<EventKind, u64>,
}
