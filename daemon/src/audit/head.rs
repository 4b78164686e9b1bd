//! The file beside the record that holds its last link and the seal's present key. It is overwritten in place after
//! each commit, so that no earlier key stays in a page of the database or its log.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::chain::{GENESIS, Hash, hex, unhex};

/// Length of the file: larger than any content, a multiple of no page boundary.
const LENGTH: usize = 512;

/// Where the chain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seq: u64,
    pub(super) link: Hash,
    /// First sealed event and the key for the next one.
    pub(super) seal: Option<(u64, Hash)>,
}

impl Head {
    pub(super) const EMPTY: Self = Self {
        seq: 0,
        link: GENESIS,
        seal: None,
    };
}

#[derive(Serialize, Deserialize)]
struct Written {
    seq: u64,
    link: String,
    sealed_from: Option<u64>,
    key: Option<String>,
}

/// The open file.
#[derive(Debug)]
pub(super) struct HeadFile {
    file: File,
}

impl HeadFile {
    /// Opens or makes it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        Ok(Self { file })
    }

    /// Opens one that is there, and only to read it.
    pub(super) fn open_to_read(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            // A pipe in its place would wait for a writer.
            .custom_flags(libc::O_NONBLOCK)
            .open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        Ok(Self { file })
    }

    /// What it says; `None` for a new or unreadable one.
    pub(super) fn read(&self) -> Option<Head> {
        let mut bytes = [0; LENGTH];
        let mut length = 0;
        while length < LENGTH {
            match self.file.read_at(&mut bytes[length..], length as u64) {
                Ok(0) | Err(_) => break,
                Ok(count) => length += count,
            }
        }
        let text = std::str::from_utf8(&bytes[..length]).ok()?;
        let written: Written =
            serde_json::from_str(text.trim_end_matches(['\0', ' ', '\n'])).ok()?;
        let seal = match (written.sealed_from, written.key) {
            (Some(from), Some(key)) => Some((from, unhex(&key)?)),
            _ => None,
        };
        Some(Head {
            seq: written.seq,
            link: unhex(&written.link)?,
            seal,
        })
    }

    /// Overwrites it.
    pub(super) fn write(&mut self, head: &Head, durable: bool) -> io::Result<()> {
        let written = Written {
            seq: head.seq,
            link: hex(&head.link),
            sealed_from: head.seal.map(|(from, _)| from),
            key: head.seal.map(|(_, key)| hex(&key)),
        };
        let mut bytes = serde_json::to_vec(&written).map_err(io::Error::other)?;
        bytes.resize(LENGTH - 1, b' ');
        bytes.push(b'\n');
        self.file.write_all_at(&bytes, 0)?;
        if durable {
            self.file.sync_data()?;
        }
        Ok(())
    }
}
