//! The thread of one root: owns what is known of it, looks at what the kernel tells of, puts the
//! differences on the board. A file system that hangs holds up this thread and nobody else.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use saferun_protocol::{RootState, WatchEvent};
use tokio::runtime::Handle;

use super::{
    beneath::{self, Found},
    board::Subject,
    commits::Commits,
    inbox::{Taken, Touch},
    known::Known,
    mounts,
    pending::{Pending, Seen},
    provenance::Provenance,
    respond::Responder,
    rules::{self, Rules},
    scan::FileScanner,
    shared::Shared,
    survey::Judged,
    watcher::{Limit, Watcher},
};

/// Files looked at between two looks at the inbox.
const BATCH: usize = 256;
/// How often a root that is gone is looked for.
const GONE: Duration = Duration::from_secs(1);
/// Shortest time between two looks at a root that is polled.
const POLL: Duration = Duration::from_secs(2);
/// A poll may take this part of the time.
const POLL_SHARE: u32 = 20;

/// What all roots use.
pub(super) struct Context {
    pub(super) scanner: FileScanner,
    pub(super) provenance: Provenance,
    pub(super) ignore: Vec<String>,
    pub(super) since: String,
    pub(super) responder: Responder,
}

/// One root, while its thread runs.
pub(super) struct Root {
    pub(super) shared: Arc<Shared>,
    pub(super) context: Arc<Context>,
    pub(super) known: Known,
    pub(super) rules: Rules,
    pub(super) watcher: Option<Watcher>,
    pub(super) pending: Pending,
    pub(super) survey: u32,
    pub(super) told: Instant,
    pub(super) full: bool,
    /// Whether all was looked at once: what lands from then on is answered, what was there before is only shown.
    pub(super) surveyed: bool,
    /// Each file with findings as it was judged last: what looks different only because the policy, the rights or the
    /// root's place changed has not landed.
    pub(super) judged: HashMap<PathBuf, Judged>,
    pub(super) commits: Commits,
    /// Where the kernel's events are read.
    runtime: Handle,
    /// Why changes are looked for at intervals, if they are.
    polled: Option<String>,
    mounts: String,
}

impl Root {
    /// Starts the thread. Needs a runtime of tokio's around it.
    pub(super) fn start(shared: Arc<Shared>) -> std::io::Result<()> {
        let runtime = Handle::try_current().map_err(std::io::Error::other)?;
        let run = move || {
            let context = shared.context();
            let rules = Rules::new(&shared.path, &context.ignore);
            let root = Self {
                rules,
                shared,
                context,
                known: Known::default(),
                watcher: None,
                pending: Pending::default(),
                survey: 0,
                told: Instant::now(),
                full: false,
                surveyed: false,
                judged: HashMap::new(),
                commits: Commits::default(),
                runtime,
                polled: None,
                mounts: String::new(),
            };
            root.run();
        };
        std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(run)
            .map(drop)
    }

    fn run(mut self) {
        loop {
            match beneath::root(&self.shared.path) {
                Ok(root) => self.live(root),
                Err(error) => {
                    let why = super::scan::reason(&error);
                    if self.set_state(RootState::Gone, Some(why)) {
                        self.announce_ready();
                    }
                }
            }
            if self.shared.inbox.closing() {
                return;
            }
            // Whatever is told of a root that is not there is old.
            if self.shared.inbox.take(Some(Instant::now() + GONE)).close {
                return;
            }
        }
    }

    /// Serves a root that is there, until it is gone or to be left.
    fn live(&mut self, root: Found) {
        let (device, inode) = (root.stamp.dev, root.stamp.ino);
        self.context = self.shared.context();
        self.rules = Rules::new(&self.shared.path, &self.context.ignore);
        self.commits = Commits::new(&self.context.since);
        self.polled = mounts::network(&root);
        // Held on to, it would keep a file system busy, and the kernel from telling that the folder is gone.
        drop(root);
        if self.polled.is_none() {
            self.watch();
        }
        self.mounts = mounts::under(&self.shared.path);
        let mut walk = self.survey_all();
        loop {
            let interval = POLL.max(walk * POLL_SHARE);
            let poll = self.polled.as_ref().map(|_| Instant::now() + interval);
            let until = [self.pending.next(), poll].into_iter().flatten().min();
            let taken = self.shared.inbox.take(until);
            if taken.close {
                return;
            }
            let suspicious = taken.mounts
                || taken.lost.is_some()
                || self.polled.is_some()
                || taken.touched.contains_key(&self.shared.path);
            if suspicious && self.is_another(device, inode, &taken) {
                self.leave_all();
                return;
            }
            if let Some(why) = taken.lost {
                self.shared.notice(
                    format!("{why}, so some changes were not told"),
                    "the whole folder is looked at again; if it happens often: sudo sysctl fs.inotify.max_queued_events=65536",
                );
                self.watch_anew();
                walk = self.survey_all();
            } else if taken.mounts && self.mounts != mounts::under(&self.shared.path) {
                self.mounts = mounts::under(&self.shared.path);
                self.watch_anew();
                walk = self.survey_all();
            } else if poll.is_some_and(|poll| poll <= Instant::now()) {
                let began = Instant::now();
                self.survey(Path::new(""), false);
                walk = began.elapsed();
            }
            if taken.policy {
                self.adopt();
            }
            self.take_in(taken);
            self.follow_commits();
            while self.pending.next().is_some_and(|due| due <= Instant::now()) {
                let due = self.pending.due(Instant::now(), BATCH);
                self.look_at(&due, None);
            }
            self.count();
        }
    }

    /// Looks at everything again, under the policy that holds now.
    fn adopt(&mut self) {
        self.context = self.shared.context();
        self.rules = Rules::new(&self.shared.path, &self.context.ignore);
        self.commits = Commits::new(&self.context.since);
        self.known.skipped.clear();
        for file in self.known.files.values_mut() {
            file.stamp = None;
        }
        self.survey(Path::new(""), false);
        let status = self.shared.status();
        self.set_state(status.state, status.reason);
        self.shared
            .put(Subject::Root, WatchEvent::Root(self.shared.status()));
    }

    /// Whether the root's path leads to another folder than before, or to none.
    fn is_another(&self, device: u64, inode: u64, taken: &Taken) -> bool {
        let own = taken.touched.get(&self.shared.path);
        if own.is_some_and(|touch| touch.structure) {
            // Removed or moved; the number of the inode may have been given to its successor.
            return true;
        }
        beneath::root(&self.shared.path).map_or(true, |now| {
            (now.stamp.dev, now.stamp.ino) != (device, inode)
        })
    }

    fn leave_all(&mut self) {
        self.watcher = None;
        self.pending.clear();
        let back = beneath::root(&self.shared.path).is_ok();
        if !back {
            let files: Vec<PathBuf> = self.known.files.keys().cloned().collect();
            for file in files {
                self.forget_file(&file);
            }
        }
        // What is known of files stays if the folder is back already: those that did not change are not told again.
        self.known.folders.clear();
        self.known.skipped.clear();
        self.shared.notice(
            if back {
                "the folder was replaced by another of the same name"
            } else {
                "the folder is gone"
            },
            "it is looked at from the start as soon as it is there",
        );
        if back {
            // At once, not after the pause for roots that are gone.
            self.shared
                .inbox
                .touch(self.shared.path.clone(), Touch::default());
        }
    }

    /// The root could not be opened: what became of it is looked at next.
    pub(super) fn suspect(&self) {
        let touch = Touch {
            structure: true,
            ..Touch::default()
        };
        self.shared.inbox.touch(self.shared.path.clone(), touch);
    }

    /// Makes all watches anew: some may belong to folders that are gone.
    fn watch_anew(&mut self) {
        self.commits.stale = true;
        if self.watcher.take().is_some() {
            self.watch();
        }
    }

    fn watch(&mut self) {
        match Watcher::new(&self.shared.inbox, &self.runtime) {
            Ok(mut watcher) => {
                watcher.add_above(&self.shared.path);
                self.watcher = Some(watcher);
            }
            Err(limit) => self.limited(&limit),
        }
    }

    /// Changes are not told of: from now on they are looked for.
    pub(super) fn limited(&mut self, limit: &Limit) {
        if self.polled.is_none() {
            self.shared.notice(limit.reason(), limit.advice());
            self.polled = Some(limit.reason());
            // The first look says it at its end.
            if self.surveyed {
                self.set_state(RootState::Polling, self.polled.clone());
            }
        }
    }

    /// Whether the kernel tells of changes in all folders so far.
    pub(super) fn is_told(&self) -> bool {
        self.polled.is_none()
    }

    fn survey_all(&mut self) -> Duration {
        let began = Instant::now();
        self.set_state(RootState::Scanning, None);
        self.survey(Path::new(""), true);
        self.surveyed = true;
        if self.full {
            self.shared.notice(
                "there are more files or folders than one watch looks at",
                "watch the folders that matter one by one, or add to watch.ignore in the policy",
            );
        }
        let reason = self.polled.clone();
        let state = reason
            .as_ref()
            .map_or(RootState::Watching, |_| RootState::Polling);
        self.set_state(state, reason);
        self.announce_ready();
        began.elapsed()
    }

    fn announce_ready(&self) {
        self.shared
            .put(Subject::Ready, WatchEvent::Ready(self.shared.status()));
    }

    /// Returns whether that is news.
    fn set_state(&self, state: RootState, reason: Option<String>) -> bool {
        self.count();
        let changed = {
            let mut status = self.shared.kept_status();
            let changed =
                status.state != state || status.reason != reason || state == RootState::Scanning;
            status.state = state;
            status.reason = reason;
            let skipped = self.known.skipped.iter().take(32);
            status.skipped = skipped.map(|path| path.display().to_string()).collect();
            changed
        };
        if changed {
            self.shared
                .put(Subject::Root, WatchEvent::Root(self.shared.status()));
        }
        changed
    }

    /// For who lists the roots.
    fn count(&self) {
        let mut status = self.shared.kept_status();
        status.files = self.known.files.len() as u64;
        status.folders = self.known.folders.len() as u64;
        status.with_findings = self.shared.board().files().count() as u64;
    }

    fn take_in(&mut self, taken: Taken) {
        let Ok(root) = beneath::root(&self.shared.path) else {
            self.suspect();
            return;
        };
        let mut touched: Vec<(PathBuf, Touch)> = taken.touched.into_iter().collect();
        // Folders before what is in them.
        touched.sort_by(|a, b| a.0.cmp(&b.0));
        for (path, touch) in touched {
            if path == self.shared.path {
                // Its rights changed: perhaps it can be searched again.
                self.survey(Path::new(""), false);
                continue;
            }
            let relative = path.strip_prefix(&self.shared.path);
            if let Ok(relative) = relative.map(Path::to_owned) {
                self.touched(&root, &relative, touch);
            }
        }
    }

    fn touched(&mut self, root: &Found, relative: &Path, touch: Touch) {
        if !self.known.is_inside(relative) {
            return;
        }
        let now = Instant::now();
        let name = relative.file_name().unwrap_or_default();
        if rules::is_ignore_file(name) || (touch.structure && rules::says_what_is_ignored(name)) {
            self.commits.stale |= name == ".git";
            let folder = relative.parent().unwrap_or(Path::new("")).to_owned();
            self.survey(&folder, false);
            return;
        }
        let found = beneath::look(root, relative).ok();
        let is_dir = found.as_ref().is_some_and(|found| found.stamp.is_dir());
        let was_dir = self.known.folders.contains_key(relative);
        if was_dir && (touch.structure || !is_dir) {
            if let Some(watcher) = &mut self.watcher {
                watcher.remove(&self.shared.path.join(relative));
            }
            self.rules.forget(&self.shared.path.join(relative));
            for file in self.known.forget_folder(relative) {
                self.pending.seen(&file, Seen::Gone, now);
            }
        }
        if is_dir {
            if !self.known.folders.contains_key(relative) && self.enters(relative) {
                self.survey(relative, false);
            }
            return;
        }
        let is_file = found.as_ref().is_some_and(|found| found.stamp.is_file());
        if is_file && rules::is_scanned(relative) && !self.passes(relative, false) {
            if touch.again {
                self.judge_again(relative);
            }
            let complete = touch.complete || touch.again;
            let seen = if complete {
                Seen::Complete
            } else {
                Seen::Written
            };
            self.pending.seen(relative, seen, now);
        } else if self.known.files.contains_key(relative) {
            self.pending.seen(relative, Seen::Gone, now);
        }
    }

    /// Whether a path is passed over.
    pub(super) fn passes(&self, relative: &Path, is_dir: bool) -> bool {
        self.rules.ignores(relative, is_dir) || self.rules.skips(relative)
    }

    /// Whether a folder is looked into; says so of those that the policy passes over.
    pub(super) fn enters(&mut self, relative: &Path) -> bool {
        if self.rules.ignores(relative, true) {
            return false;
        }
        if self.rules.skips(relative) {
            self.known.skipped.insert(relative.to_owned());
            return false;
        }
        true
    }
}
