//! Looking at a whole folder of a root: which files are there, which are gone; and at single files,
//! several at once. What it comes to goes on the board, if it is news.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use saferun_protocol::{Generated, HostPath, Risk, WatchEvent, WatchedFile};

use super::{
    beneath::{self, Found, Stamp},
    board::Subject,
    known::File,
    mounts,
    pending::{REST, Seen},
    respond::Handed,
    root::Root,
    rules,
    scan::{Content, Looked},
    watcher::Limit,
};

/// Most files of one root.
pub(super) const MAX_FILES: usize = 200_000;
/// Most folders of one root.
const MAX_FOLDERS: usize = 65_536;
/// Most names in one folder.
const MAX_NAMES: usize = 200_000;
/// Files looked at between two words on the progress.
const CHUNK: usize = 256;
/// A word on the progress comes at most so often.
const PROGRESS: Duration = Duration::from_millis(250);
/// A change so close to the look cannot be told from one after it by the file's times alone.
const BLUR: i128 = 20_000_000;

/// A file with findings as it was judged last.
pub(super) struct Judged {
    sha256: String,
    /// It landed and counts as nobody's yet: a tool announces what it wrote once it is written.
    nobodys: bool,
}

impl Root {
    /// Looks at all files at and under a folder. `whole`: the survey of a whole root, which waits for
    /// no file and tells of its progress.
    pub(super) fn survey(&mut self, top: &Path, whole: bool) {
        let Ok(root) = beneath::root(&self.shared.path) else {
            self.suspect();
            return;
        };
        self.survey = self.survey.wrapping_add(1);
        self.full = false;
        let rested = (!whole).then(|| nanoseconds_now() - rest());
        let mut folders = vec![top.to_owned()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            if self.shared.inbox.closing() {
                return;
            }
            self.open_folder(&root, &folder, &mut folders, &mut files);
            if files.len() >= CHUNK {
                self.look_at(&std::mem::take(&mut files), rested);
                self.progress(whole);
            }
        }
        self.look_at(&files, rested);
        for folder in self.known.unseen_folders(top, self.survey) {
            self.known.folders.remove(&folder);
            if let Some(watcher) = &mut self.watcher {
                watcher.remove(&self.shared.path.join(&folder));
            }
        }
        for file in self.known.unseen_files(top, self.survey) {
            if self.passes(&file, false) || !self.known.is_inside(&file) {
                // It may be there, but it is passed over from now on.
                self.forget_file(&file);
                continue;
            }
            self.pending.seen(&file, Seen::Gone, Instant::now());
        }
    }

    fn open_folder(
        &mut self,
        root: &Found,
        folder: &Path,
        folders: &mut Vec<PathBuf>,
        files: &mut Vec<PathBuf>,
    ) {
        let Ok(found) = beneath::look(root, folder) else {
            return;
        };
        if !found.stamp.is_dir() {
            return;
        }
        if found.stamp.dev != root.stamp.dev {
            // Another file system is mounted here.
            if mounts::keeps_no_files(&found) {
                self.known.skipped.insert(folder.to_owned());
                return;
            }
            if let Some(reason) = mounts::network(&found) {
                self.limited(&Limit::Network(reason));
            }
        }
        if self.known.folders.len() >= MAX_FOLDERS && !self.known.folders.contains_key(folder) {
            self.full = true;
            return;
        }
        let absolute = self.shared.path.join(folder);
        // Before its names are read: what comes in between is then told twice, never not at all.
        let known = self
            .known
            .folders
            .insert(folder.to_owned(), self.survey)
            .is_some();
        let watched = self.watcher.as_ref().is_some_and(|one| one.has(&absolute));
        if self.is_told() && !(known && watched) {
            match self.watcher.as_mut().map(|one| one.add(&absolute, &found)) {
                Some(Err(limit)) => self.limited(&limit),
                // Of the root itself no folder above tells.
                Some(Ok(false)) if folder.as_os_str().is_empty() => {
                    self.limited(&Limit::Other("it cannot be looked into".to_owned()));
                }
                _ => {}
            }
        }
        self.rules.read(&absolute, &found);
        let Ok((names, all)) = found.list(MAX_NAMES) else {
            // Nobody can look into it: as soon as that changes, it is a new folder.
            if !folder.as_os_str().is_empty() {
                self.known.folders.remove(folder);
            }
            return;
        };
        self.full |= !all;
        for (name, is_dir) in names {
            let path = folder.join(name);
            if is_dir {
                if self.enters(&path) {
                    folders.push(path);
                }
            } else if rules::is_scanned(&path) && !self.passes(&path, false) {
                if self.known.files.len() + files.len() >= MAX_FILES
                    && !self.known.files.contains_key(&path)
                {
                    self.full = true;
                } else {
                    files.push(path);
                }
            }
        }
    }

    fn progress(&mut self, whole: bool) {
        if whole && self.told.elapsed() >= PROGRESS {
            self.told = Instant::now();
            let item = WatchEvent::Progress {
                root: HostPath::from(self.shared.path.as_path()),
                files: self.known.files.len() as u64,
                folders: self.known.folders.len() as u64,
            };
            self.shared.put(Subject::Progress, item);
        }
    }

    /// Looks at files, several at once, and tells what is news as it comes.
    pub(super) fn look_at(&mut self, files: &[PathBuf], rested: Option<i128>) {
        let Ok(root) = beneath::root(&self.shared.path) else {
            self.suspect();
            return;
        };
        let stamps: HashMap<&PathBuf, Stamp> = files
            .iter()
            .filter_map(|file| Some((file, self.known.files.get(file)?.stamp?)))
            .collect();
        let context = Arc::clone(&self.context);
        let look = |file: &PathBuf| context.scanner.look(&root, file, stamps.get(file), rested);
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        if files.len() < 4 {
            for file in files {
                self.take_look(file, look(file));
            }
            return;
        }
        let next = AtomicUsize::new(0);
        let (results, inbox) = mpsc::sync_channel(64);
        std::thread::scope(|scope| {
            for _ in 0..cores.min(files.len()) {
                let (results, look, next, files) = (results.clone(), &look, &next, files);
                scope.spawn(move || {
                    while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if results.send((file, look(file))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(results);
            for (file, looked) in inbox {
                self.take_look(file, looked);
            }
        });
    }

    fn take_look(&mut self, path: &Path, looked: Looked) {
        let survey = self.survey;
        match looked {
            Looked::Missing => self.forget_file(path),
            Looked::Unchanged => {
                let known = self.known.files.get_mut(path);
                let stamp = known.and_then(|file| {
                    file.survey = survey;
                    file.stamp
                });
                // The watches may have been made anew.
                if stamp.is_some_and(|stamp| stamp.links > 1 && !self.follow_links(path, stamp)) {
                    self.pending.seen(path, Seen::Written, Instant::now());
                }
            }
            Looked::Shut => {
                self.forget_file(path);
                if !self.forget_shut(path) {
                    // It was opened again since: of a folder that is known that is no news.
                    self.pending.seen(path, Seen::Written, Instant::now());
                }
            }
            Looked::Fresh => {
                self.known.files.entry(path.to_owned()).or_default().survey = survey;
                self.pending.seen(path, Seen::Written, Instant::now());
            }
            Looked::Unreadable(stamp, problem) => {
                // What the watch itself took the rights from is still what it was.
                let held = self.context.responder.holds(&self.shared.path.join(path));
                let before = self.known.files.get(path);
                let content = before
                    .and_then(|file| file.content.clone())
                    .filter(|_| held);
                let file = File {
                    stamp: trusted(stamp),
                    problem: content.is_none().then_some(problem),
                    content,
                    survey,
                };
                self.known.files.insert(path.to_owned(), file);
                self.follow_links(path, stamp);
                self.tell(path);
            }
            Looked::Scanned {
                stamp,
                content,
                stable,
            } => {
                let file = File {
                    stamp: if stable { trusted(stamp) } else { None },
                    content: (!content.findings.is_empty()).then_some(content),
                    problem: None,
                    survey,
                };
                self.known.files.insert(path.to_owned(), file);
                let followed = self.follow_links(path, stamp);
                self.tell(path);
                if !stable || !followed {
                    self.pending.seen(path, Seen::Written, Instant::now());
                }
            }
        }
    }

    /// Forgets the folder above a file that nobody may search: as soon as that changes it is a new folder, and what was
    /// written there meanwhile, by who had it open, is looked at. Returns false if there is no such folder now.
    fn forget_shut(&mut self, path: &Path) -> bool {
        let Ok(root) = beneath::root(&self.shared.path) else {
            return false;
        };
        let above: Vec<&Path> = path.ancestors().skip(1).collect();
        let mut above = above.into_iter().rev();
        let shut = above.find(|folder| {
            beneath::look(&root, folder).is_ok_and(|found| !found.may_be_searched())
        });
        let Some(shut) = shut else {
            return false;
        };
        // Of the root's own rights the kernel tells by itself.
        if !shut.as_os_str().is_empty() {
            let now = Instant::now();
            for file in self.known.forget_folder(shut) {
                self.pending.seen(&file, Seen::Gone, now);
            }
        }
        true
    }

    /// Has changes told of that are made by another name of a file. Returns false if it changed before that was asked for.
    fn follow_links(&mut self, path: &Path, stamp: Stamp) -> bool {
        let Some(watcher) = &mut self.watcher else {
            return true;
        };
        let absolute = self.shared.path.join(path);
        if stamp.links < 2 {
            watcher.remove_file(&absolute);
            return true;
        }
        let found = beneath::root(&self.shared.path).and_then(|root| beneath::look(&root, path));
        // One that went meanwhile is told of by its folder.
        let Ok(found) = found else {
            return true;
        };
        match watcher.add_file(&absolute, &found) {
            Ok(new) => !new || found.stamp_now().is_ok_and(|now| now == stamp),
            Err(limit) => {
                self.limited(&limit);
                true
            }
        }
    }

    /// A file is not there any more.
    pub(super) fn forget_file(&mut self, path: &Path) {
        self.known.files.remove(path);
        if self.shared.takes_owed(path) {
            // When it is back it lands, also with the same content.
            self.judged.remove(path);
        }
        if let Some(watcher) = &mut self.watcher {
            watcher.remove_file(&self.shared.path.join(path));
        }
        self.tell(path);
    }

    /// Somebody announced who wrote it.
    pub(super) fn judge_again(&mut self, path: &Path) {
        self.tell(path);
    }

    /// Puts on the board what is known of a file, if that is news.
    fn tell(&mut self, path: &Path) {
        let item = self.item(path);
        let fresh = item.as_ref().is_some_and(|item| self.is_fresh(path, item));
        if let Some(item) = item.as_ref().filter(|_| fresh) {
            self.hand_over(path, item);
        }
        let mut board = self.shared.board();
        let sequence = match (board.file(path), item) {
            (None, None) => return,
            (Some(_), None) => {
                let gone = WatchEvent::Cleared {
                    root: HostPath::from(self.shared.path.as_path()),
                    file: HostPath::from(self.shared.path.join(path).as_path()),
                };
                board.put(Subject::File(path.to_owned()), gone)
            }
            (Some(WatchEvent::File(old)), Some(new)) if same(old, &new) => {
                board.amend(path, WatchEvent::File(Box::new(new)));
                return;
            }
            (_, Some(new)) => board.put(
                Subject::File(path.to_owned()),
                WatchEvent::File(Box::new(new)),
            ),
        };
        drop(board);
        self.shared.bell.send_replace(sequence);
    }

    /// Has done about a file what the policy says.
    fn hand_over(&self, path: &Path, item: &WatchedFile) {
        let handed = self.context.responder.landed(&self.shared, path, item);
        let Handed::LeftOut { first } = handed else {
            return;
        };
        self.shared.owe(path);
        if first {
            self.shared.notice(
                "too many findings at once: about some of them nothing is done by itself",
                "they are shown all the same; look at them yourself",
            );
        }
    }

    /// Whether a file landed with this content, after the first look, or did and is to be answered all the same: something
    /// is owed about it, or its writer is known only now. Of what cannot be read nothing is known.
    fn is_fresh(&mut self, path: &Path, item: &WatchedFile) -> bool {
        if item.sha256.is_empty() {
            return false;
        }
        let owed = self.shared.takes_owed(path);
        if let Some(judged) = self.judged.get_mut(path)
            && judged.sha256 == item.sha256
            && !owed
        {
            let announced = matches!(item.generated, Some(Generated::Announced { .. }));
            return announced && std::mem::take(&mut judged.nobodys);
        }
        let judged = Judged {
            sha256: item.sha256.clone(),
            nobodys: self.surveyed && item.generated.is_none(),
        };
        if self.judged.len() < MAX_FILES || self.judged.contains_key(path) {
            self.judged.insert(path.to_owned(), judged);
        }
        self.surveyed
    }

    /// What is to be said of a file; nothing of one without findings and problems.
    fn item(&mut self, path: &Path) -> Option<WatchedFile> {
        let file = self.known.files.get(path)?;
        let absolute = self.shared.path.join(path);
        let content: Option<Arc<Content>> = file.content.clone();
        if content.is_none() && file.problem.is_none() {
            return None;
        }
        let mut item = WatchedFile::new(
            HostPath::from(self.shared.path.as_path()),
            HostPath::from(absolute.as_path()),
        );
        item.problem.clone_from(&file.problem);
        item.risk = content.as_ref().map_or(Risk::Low, |content| content.risk);
        if let Some(content) = &content {
            item.sha256 = hexadecimal(&content.sha256);
            item.findings.clone_from(&content.findings);
            item.more_findings = content.more;
        }
        let marker = content
            .as_ref()
            .and_then(|content| content.marker.as_deref());
        item.generated = self.context.provenance.of(path, &absolute, marker);
        if item.generated.is_none() {
            let object = content.as_ref().and_then(|content| content.object.as_ref());
            item.generated = self.since(path, object);
        }
        self.context.responder.attach(&absolute, &mut item);
        Some(item)
    }
}

/// Whether two words on a file say the same; another content with the same findings does.
fn same(old: &WatchedFile, new: &WatchedFile) -> bool {
    (old.risk, old.more_findings) == (new.risk, new.more_findings)
        && old.findings == new.findings
        && old.problem == new.problem
        && old.generated == new.generated
        && (old.quarantined, &old.run) == (new.quarantined, &new.run)
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn trusted(stamp: Stamp) -> Option<Stamp> {
    (stamp.ctime + BLUR < nanoseconds_now()).then_some(stamp)
}

fn nanoseconds_now() -> i128 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i128::try_from(now.as_nanos()).unwrap_or(i128::MAX)
}

fn rest() -> i128 {
    i128::try_from(REST.as_nanos()).unwrap_or(0)
}
