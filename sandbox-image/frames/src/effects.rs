//! What goes into the workspace before a run and what is told of it afterwards: types and path rules of both ends.

use serde::{Deserialize, Serialize};

/// Longest path below a place, in bytes.
pub const MAX_PATH: usize = 1024;

/// Most components of a path.
pub const MAX_DEPTH: usize = 64;

/// Most files that a run may be given beside its script.
pub const MAX_FILES: usize = 4096;

/// Most changes that are told of one run; further ones are counted.
pub const MAX_CHANGES: usize = 4096;

/// Most sentences about what was not looked at.
pub const MAX_NOTES: usize = 16;

/// Most names of files that were left behind.
pub const MAX_NAMES: usize = 5;

/// Longest of these names, in characters.
pub const MAX_NAME: usize = 200;

/// A file for the workspace. `FileData` frames with `size` bytes in all follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHead {
    /// Path below the workspace; see [`check_path`].
    pub path: String,
    /// Whether its owner may execute it (the mount says `noexec`: the bit is kept for what the code sees).
    pub executable: bool,
    /// Length in bytes.
    pub size: u64,
}

/// How much of a kind may be handed back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Bytes of contents, together.
    pub bytes: u64,
    /// Entries.
    pub entries: u32,
}

/// What is to be told of a run besides its output and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// Changes to the workspace and to HOME.
    pub changes: Option<Budget>,
    /// Files in `/out`, and open figures.
    pub artifacts: Option<Budget>,
    /// What it does while it runs, by the kernel's word.
    pub trace: bool,
    /// With it, what its interpreter says of itself: lines, and names that it looked up.
    pub lines: bool,
}

impl Account {
    /// Whether anything is to be collected when the run is over.
    #[must_use]
    pub const fn collects(&self) -> bool {
        self.changes.is_some() || self.artifacts.is_some() || self.trace
    }
}

/// Which folder a path is below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// `/workspace`.
    Workspace,
    /// HOME with its decoys.
    Home,
    /// `/out`.
    Out,
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

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryType {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link; never followed.
    Symlink,
    /// A FIFO.
    Fifo,
    /// A socket.
    Socket,
    /// A device.
    Device,
}

/// One entry as it was or is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: EntryType,
    /// Permission bits, at most `0o7777`.
    pub mode: u32,
    /// Length in bytes; 0 for what is no file.
    pub size: u64,
    /// Hash of the content, in hexadecimal; `None` for what is no file or was too much to read.
    pub sha256: Option<String>,
    /// Where a symbolic link points.
    pub target: Option<String>,
}

/// One entry that is not as it was. With `content`, that many bytes follow in `Content` frames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which folder it is in.
    pub place: Place,
    /// Path below it; see [`check_path`].
    pub path: String,
    /// What became of it.
    pub kind: ChangeKind,
    /// Before the run.
    pub before: Option<Entry>,
    /// After it.
    pub after: Option<Entry>,
    /// Length of the content that follows; `None` if none does.
    pub content: Option<u64>,
}

/// Files in `/out` that were not handed back, or without their content.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LeftBehind {
    /// How many.
    pub files: u64,
    /// Their bytes, together.
    pub bytes: u64,
    /// The first of them, at most [`MAX_NAMES`], each cut to [`MAX_NAME`].
    pub names: Vec<String>,
    /// Whether there may be more: not all of `/out` could be looked at.
    pub perhaps_more: bool,
    /// Why nothing of `/out` is known. The daemon's word, never the sandbox's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl LeftBehind {
    /// Nothing came back, and how much there was nobody knows.
    #[must_use]
    pub fn unknown(why: &str) -> Self {
        Self {
            perhaps_more: true,
            why: Some(why.to_owned()),
            ..Self::default()
        }
    }

    /// Adds a file.
    pub fn add(&mut self, name: &str, bytes: u64) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.names.len() < MAX_NAMES {
            self.names.push(name.chars().take(MAX_NAME).collect());
        }
    }

    /// Whether nothing was left behind, as far as is known.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.files == 0 && !self.perhaps_more
    }

    /// The same within its bounds, and without a reason, whoever told it.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.why = None;
        self.names.truncate(MAX_NAMES);
        for name in &mut self.names {
            *name = name.chars().take(MAX_NAME).collect();
        }
        self
    }
}

/// How far the collecting came.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Collected {
    /// Whether every change to the workspace and to HOME was told.
    pub complete: bool,
    /// What was not, in sentences.
    pub notes: Vec<String>,
    /// What of `/out` was not.
    #[serde(default)]
    pub left_behind: LeftBehind,
}

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// No characters.
    #[error("the path is empty")]
    Empty,
    /// Beyond [`MAX_PATH`] or 255 bytes in a component.
    #[error("the path is longer than {MAX_PATH} bytes, or one of its names than 255")]
    TooLong,
    /// Beyond [`MAX_DEPTH`].
    #[error("the path is deeper than {MAX_DEPTH} folders")]
    TooDeep,
    /// It begins with a slash.
    #[error("the path is absolute")]
    Absolute,
    /// `.`, `..` or an empty name in it.
    #[error("the path is not in its normal form: `.`, `..` or an empty name stands in it")]
    NotNormal,
    /// A NUL byte.
    #[error("the path contains NUL")]
    Nul,
}

/// Whether a path stays below the folder that it is taken from: relative, in normal form, bounded.
///
/// # Errors
/// The first [`PathError`].
pub fn check_path(path: &str) -> Result<(), PathError> {
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    if path.len() > MAX_PATH {
        return Err(PathError::TooLong);
    }
    if path.starts_with('/') {
        return Err(PathError::Absolute);
    }
    if path.contains('\0') {
        return Err(PathError::Nul);
    }
    for (depth, name) in path.split('/').enumerate() {
        if depth >= MAX_DEPTH {
            return Err(PathError::TooDeep);
        }
        if name.len() > 255 {
            return Err(PathError::TooLong);
        }
        if matches!(name, "" | "." | "..") {
            return Err(PathError::NotNormal);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_its_folder() {
        for good in [
            "a",
            "a/b.py",
            "..a/b..",
            "ü/\n",
            &"d/".repeat(63).as_str()[..125],
        ] {
            assert_eq!(check_path(good), Ok(()), "{good:?}");
        }
        let deep = "d/".repeat(64) + "f";
        let long = "n".repeat(256);
        let table = [
            ("", PathError::Empty),
            ("/etc/passwd", PathError::Absolute),
            ("..", PathError::NotNormal),
            ("a/../b", PathError::NotNormal),
            ("./a", PathError::NotNormal),
            ("a//b", PathError::NotNormal),
            ("a/", PathError::NotNormal),
            ("a\0b", PathError::Nul),
            (long.as_str(), PathError::TooLong),
            (deep.as_str(), PathError::TooDeep),
        ];
        for (bad, why) in table {
            assert_eq!(check_path(bad), Err(why), "{bad:?}");
        }
    }
}
