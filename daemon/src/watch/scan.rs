//! One file of a root: looked at, read within bounds, hashed, scanned unless its content is known.
//! Holds nothing of the root; safe to do on several threads at once.

use std::{
    collections::{HashMap, VecDeque},
    io,
    path::Path,
    sync::{Arc, Condvar, Mutex, PoisonError},
};

use nix::errno::Errno;
use saferun_guard::on_a_thread;
use saferun_protocol::{Finding, Risk};
use saferun_scanner::{
    Options,
    extract::{crashed, scan_bytes},
};
use sha2::{Digest, Sha256};

use super::{
    beneath::{self, Found, Stamp},
    commits::Object,
};
use crate::runs::wire;

/// Largest file that is read, in bytes; the same as for `saferunctl scan`.
pub(super) const LARGEST: u64 = 32 * 1024 * 1024;
/// Most findings of one file that are kept.
pub(super) const MAX_FINDINGS: usize = 1_000;
/// Most reports that are kept for content that may come back under another name.
const MAX_REPORTS: usize = 1_024;

/// SHA-256 of a file's content.
pub(super) type Hash = [u8; 32];

/// What was found in some content, wherever it stands.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) sha256: Hash,
    pub(super) risk: Risk,
    pub(super) findings: Vec<Finding>,
    pub(super) more: u64,
    /// The policy's marker that it holds.
    pub(super) marker: Option<String>,
    /// What git would call it, if the policy asks for it.
    pub(super) object: Option<Object>,
}

/// What looking at a file came to.
#[derive(Debug)]
pub(super) enum Looked {
    /// There is no such file, or it is no regular one.
    Missing,
    /// A folder above it may not be searched: nothing is known of it.
    Shut,
    /// It has not changed since.
    Unchanged,
    /// It was written a moment ago, and nobody said that it is complete.
    Fresh,
    /// It is there but cannot be scanned: why.
    Unreadable(Stamp, String),
    /// It was scanned, now or earlier. `stable`: nobody wrote to it meanwhile.
    Scanned {
        stamp: Stamp,
        content: Arc<Content>,
        stable: bool,
    },
}

/// Scans for all roots: bounds how much is done at once, and remembers reports by content.
#[derive(Debug)]
pub(super) struct FileScanner {
    places: Mutex<usize>,
    freed: Condvar,
    reports: Mutex<Reports>,
    options: Options,
    markers: Vec<String>,
    objects: bool,
}

#[derive(Debug, Default)]
struct Reports {
    by_content: HashMap<(Hash, Option<String>), Arc<Content>>,
    order: VecDeque<(Hash, Option<String>)>,
}

impl FileScanner {
    /// A scanner that works on `places` files at once, each of [`LARGEST`] bytes at most. `objects`: whether git's names
    /// of contents are asked for.
    pub(super) fn new(
        places: usize,
        options: Options,
        markers: Vec<String>,
        objects: bool,
    ) -> Self {
        Self {
            places: Mutex::new(places.max(1)),
            freed: Condvar::new(),
            reports: Mutex::default(),
            options,
            markers,
            objects,
        }
    }

    /// Looks at a file. `known`: its stamp when it was last looked at. With `rested`, a file that was
    /// written after that time (in nanoseconds since 1970) is left for later.
    pub(super) fn look(
        &self,
        root: &Found,
        relative: &Path,
        known: Option<&Stamp>,
        rested: Option<i128>,
    ) -> Looked {
        let found = match beneath::look(root, relative) {
            Ok(found) => found,
            Err(error) => return missing_or(&error, None),
        };
        if !found.stamp.is_file() {
            return Looked::Missing;
        }
        if known == Some(&found.stamp) {
            return Looked::Unchanged;
        }
        if rested.is_some_and(|rested| found.stamp.mtime > rested) {
            return Looked::Fresh;
        }
        if found.stamp.size > LARGEST {
            return Looked::Unreadable(found.stamp, "larger than 32 MiB".to_owned());
        }
        let _place = self.place();
        let bytes = match found.read(LARGEST) {
            Ok(bytes) => bytes,
            Err(error) => return missing_or(&error, Some(found.stamp)),
        };
        let after = found.stamp_now().unwrap_or(found.stamp);
        Looked::Scanned {
            content: self.content(relative, &bytes),
            stable: after == found.stamp,
            stamp: found.stamp,
        }
    }

    fn content(&self, relative: &Path, bytes: &[u8]) -> Arc<Content> {
        let sha256: Hash = Sha256::digest(bytes).into();
        // What a file is taken for follows from its ending.
        let ending = relative.extension().and_then(|ending| ending.to_str());
        let key = (sha256, ending.map(str::to_ascii_lowercase));
        if let Some(known) = self.reports().by_content.get(&key) {
            return Arc::clone(known);
        }
        let name = relative.file_name().unwrap_or_default().to_string_lossy();
        let (code, options, named) = (
            bytes.to_vec(),
            self.options.clone(),
            name.clone().into_owned(),
        );
        let report = on_a_thread(move || scan_bytes(&named, &code, &options))
            .unwrap_or_else(|message| {
                tracing::error!(file = %name, message, "the scanner crashed");
                crashed(&name, &message)
            })
            .report;
        let found = &report.findings;
        let content = Arc::new(Content {
            sha256,
            risk: wire::risk(report.risk()),
            findings: found.iter().take(MAX_FINDINGS).map(wire::finding).collect(),
            more: found.len().saturating_sub(MAX_FINDINGS) as u64,
            marker: self.marker(bytes),
            object: self.objects.then(|| Object::of(bytes)),
        });
        self.reports().keep(key, &content);
        content
    }

    /// The first marker that is in the first 8 KiB, where such comments stand.
    fn marker(&self, bytes: &[u8]) -> Option<String> {
        let head = bytes.get(..8192).unwrap_or(bytes);
        let holds = |marker: &&String| {
            let marker = marker.as_bytes();
            !marker.is_empty() && head.windows(marker.len()).any(|window| window == marker)
        };
        self.markers.iter().find(holds).cloned()
    }

    fn reports(&self) -> std::sync::MutexGuard<'_, Reports> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self) -> Place<'_> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        while *places == 0 {
            places = self
                .freed
                .wait(places)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *places -= 1;
        Place(self)
    }
}

/// The right to hold one file in memory.
struct Place<'a>(&'a FileScanner);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut places = self.0.places.lock().unwrap_or_else(PoisonError::into_inner);
        *places += 1;
        self.0.freed.notify_one();
    }
}

impl Reports {
    fn keep(&mut self, key: (Hash, Option<String>), content: &Arc<Content>) {
        // A report with very many findings would make the bound on their number meaningless.
        if content.findings.len() > 64 {
            return;
        }
        if self
            .by_content
            .insert(key.clone(), Arc::clone(content))
            .is_none()
        {
            self.order.push_back(key);
        }
        if self.order.len() > MAX_REPORTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_content.remove(&oldest);
        }
    }
}

fn missing_or(error: &io::Error, stamp: Option<Stamp>) -> Looked {
    let gone = [
        Errno::ENOENT,
        Errno::ENOTDIR,
        Errno::ELOOP,
        Errno::ENXIO,
        Errno::EXDEV,
    ];
    let number = error.raw_os_error();
    if gone.iter().any(|errno| number == Some(*errno as i32)) {
        return Looked::Missing;
    }
    match stamp {
        Some(stamp) => Looked::Unreadable(stamp, reason(error)),
        None if number == Some(Errno::EACCES as i32) => Looked::Shut,
        None => Looked::Missing,
    }
}

/// Why something cannot be read, without the number that the standard library adds.
pub(super) fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => Errno::from_raw(number).desc().to_lowercase(),
        None => error.to_string(),
    }
}
