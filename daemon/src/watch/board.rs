//! What is known of one root, for any number of subscribers: the newest word on each subject, in the
//! order in which it changed. A slow subscriber finds only the newest words, so none has a queue that
//! could grow or overflow; one that slept through too much is told everything again. Pure.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use saferun_protocol::WatchEvent;

/// Files that are no longer spoken of are remembered up to this number.
pub(super) const MAX_CLEARED: usize = 4_096;
/// Notices are kept up to this number.
const MAX_NOTICES: u64 = 32;

/// What an item is about. A new item on the same subject replaces the older.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Subject {
    Root,
    Progress,
    Notice(u64),
    File(PathBuf),
    Ready,
}

#[derive(Debug, Clone)]
struct Entry {
    sequence: u64,
    item: Arc<WatchEvent>,
}

/// The board of one root.
#[derive(Debug, Default)]
pub(super) struct Board {
    entries: HashMap<Subject, Entry>,
    log: BTreeMap<u64, Subject>,
    last: u64,
    notices: u64,
    cleared: usize,
    /// Words up to here were forgotten.
    horizon: u64,
}

/// How far a subscriber has read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cursor {
    read: u64,
    /// The snapshot with which it began ends here.
    snapshot: u64,
    told_ready: bool,
}

/// What a subscriber is to be told next.
#[derive(Debug)]
pub(super) enum Next {
    /// These items; more may follow.
    Items(Vec<Arc<WatchEvent>>),
    /// Too much was missed: everything comes again.
    Resync,
    /// Nothing for now.
    Nothing,
}

impl Board {
    /// Puts the newest word on a subject; returns its sequence number.
    pub(super) fn put(&mut self, subject: Subject, item: WatchEvent) -> u64 {
        self.last += 1;
        let entry = Entry {
            sequence: self.last,
            item: Arc::new(item),
        };
        if is_cleared(&entry.item) {
            self.cleared += 1;
        }
        self.log.insert(self.last, subject.clone());
        if let Some(old) = self.entries.insert(subject, entry) {
            self.forget(&old);
        }
        if self.cleared > MAX_CLEARED {
            self.forget_oldest_cleared();
        }
        self.last
    }

    /// A notice; the oldest one goes when there are too many.
    pub(super) fn notice(&mut self, item: WatchEvent) -> u64 {
        self.notices += 1;
        let number = self.notices % MAX_NOTICES;
        self.put(Subject::Notice(number), item)
    }

    fn forget(&mut self, entry: &Entry) {
        self.log.remove(&entry.sequence);
        if is_cleared(&entry.item) {
            self.cleared -= 1;
        }
    }

    fn forget_oldest_cleared(&mut self) {
        let oldest = self.log.iter().find_map(|(sequence, subject)| {
            let entry = self.entries.get(subject)?;
            is_cleared(&entry.item).then(|| (*sequence, subject.clone()))
        });
        if let Some((sequence, subject)) = oldest {
            if let Some(entry) = self.entries.remove(&subject) {
                self.forget(&entry);
            }
            self.horizon = sequence;
        }
    }

    /// The newest word on a file.
    pub(super) fn file(&self, path: &Path) -> Option<&WatchEvent> {
        let entry = self.entries.get(&Subject::File(path.to_owned()))?;
        (!is_cleared(&entry.item)).then_some(&*entry.item)
    }

    /// Replaces the word on a file without telling anybody: nothing changed that matters to them.
    pub(super) fn amend(&mut self, path: &Path, item: WatchEvent) {
        if let Some(entry) = self.entries.get_mut(&Subject::File(path.to_owned())) {
            entry.item = Arc::new(item);
        }
    }

    /// The files that are spoken of.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.entries
            .iter()
            .filter_map(|(subject, entry)| match subject {
                Subject::File(path) if !is_cleared(&entry.item) => Some(path.as_path()),
                _ => None,
            })
    }

    /// A cursor for a new subscriber.
    pub(super) fn cursor(&self) -> Cursor {
        Cursor {
            read: 0,
            snapshot: self.last,
            told_ready: false,
        }
    }

    /// The next items after a cursor, which is moved on.
    pub(super) fn next(&self, cursor: &mut Cursor, most: usize) -> Next {
        // A fresh cursor needs no word on what is gone, so forgetting it cost nothing.
        if cursor.read != 0 && cursor.read < self.horizon && cursor.read >= cursor.snapshot {
            *cursor = self.cursor();
            return Next::Resync;
        }
        let mut items = Vec::new();
        for (sequence, subject) in self.log.range(cursor.read + 1..) {
            let Some(entry) = self.entries.get(subject) else {
                continue;
            };
            if *sequence > cursor.snapshot && !cursor.told_ready {
                break;
            }
            if items.len() == most {
                return Next::Items(items);
            }
            cursor.read = *sequence;
            let within = *sequence <= cursor.snapshot;
            // Of a snapshot the end comes last, and old notices and old progress are no news.
            let stale = match subject {
                Subject::Ready | Subject::Notice(_) | Subject::Progress => true,
                Subject::File(_) => is_cleared(&entry.item),
                Subject::Root => false,
            };
            if !(within && stale) {
                items.push(Arc::clone(&entry.item));
            }
        }
        if !cursor.told_ready {
            cursor.told_ready = true;
            cursor.read = cursor.read.max(cursor.snapshot);
            let ready = self.entries.get(&Subject::Ready);
            // A later `ready` comes in its turn.
            let ready = ready.filter(|entry| entry.sequence <= cursor.snapshot);
            items.extend(ready.map(|entry| Arc::clone(&entry.item)));
            if self.last > cursor.read && items.is_empty() {
                return self.next(cursor, most);
            }
        }
        if items.is_empty() {
            Next::Nothing
        } else {
            Next::Items(items)
        }
    }
}

fn is_cleared(item: &WatchEvent) -> bool {
    matches!(item, WatchEvent::Cleared { .. })
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
