//! The watch with the kernel's own events: how files are saved, how folders come and go, what a hostile tree holds.
//! No engine is needed.

mod evasion;
mod folders;
mod hostile;
mod polling;
mod provenance;
mod responses;
mod restart;
mod saves;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use jsonrpsee::core::client::Subscription;
use saferun_protocol::{
    ApiClient, Client, HostPath, WatchEvent, WatchRequest, WatchRoot, WatchedFile,
};
use saferun_tests::Daemon;
use tokio::time::{Instant, timeout_at};

/// Longest wait for a condition.
const PATIENCE: Duration = Duration::from_secs(60);
const BAD: &str = "import os\nos.system('rm -rf ' + input())\n";
const OTHER: &str = "eval(input())\n";
const CLEAN: &str = "x = 1\n";

/// A subscriber, with all that it was told.
struct Watch<'daemon> {
    daemon: &'daemon Daemon,
    events: Subscription<WatchEvent>,
    _client: Client,
    files: BTreeMap<PathBuf, WatchedFile>,
    root: Option<WatchRoot>,
    notices: Vec<String>,
    /// How often each file was told of, and how often as gone or clean.
    told: BTreeMap<PathBuf, (usize, usize)>,
    ready: usize,
}

impl<'daemon> Watch<'daemon> {
    /// Watches a folder, and waits until all in it was told.
    fn new(daemon: &'daemon Daemon, root: &Path) -> Self {
        Self::with(daemon, WatchRequest::new(vec![HostPath::from(root)]))
    }

    fn with(daemon: &'daemon Daemon, request: WatchRequest) -> Self {
        let client = daemon.connect();
        let events = daemon
            .block_on(client.subscribe_watch(request))
            .expect("a watch");
        let mut watch = Self {
            daemon,
            events,
            _client: client,
            files: BTreeMap::new(),
            root: None,
            notices: Vec::new(),
            told: BTreeMap::new(),
            ready: 0,
        };
        watch.until("all was told", |watch| watch.ready > 0);
        watch
    }

    /// Takes events until a condition holds.
    fn until(&mut self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition(self) {
            let next = self.events.next();
            let event = self
                .daemon
                .block_on(async { timeout_at(deadline, next).await });
            let event = event.unwrap_or_else(|_| {
                panic!(
                    "{what}: not within 60 s; {:?} {:?} {:?}",
                    self.names(),
                    self.notices,
                    self.root
                )
            });
            self.take(event.expect("the watch goes on").expect("an event"));
        }
    }

    fn take(&mut self, event: WatchEvent) {
        let path = |file: &HostPath| file.to_path().expect("a path");
        match event {
            WatchEvent::File(file) => {
                self.told.entry(path(&file.file)).or_default().0 += 1;
                self.files.insert(path(&file.file), *file);
            }
            WatchEvent::Cleared { file, .. } => {
                self.told.entry(path(&file)).or_default().1 += 1;
                self.files
                    .remove(&path(&file))
                    .expect("only what was told is cleared");
            }
            WatchEvent::Ready(root) => {
                self.ready += 1;
                self.root = Some(root);
            }
            WatchEvent::Root(root) => self.root = Some(root),
            WatchEvent::Notice { message, .. } => self.notices.push(message),
            WatchEvent::Resync { .. } => self.files.clear(),
            _ => {}
        }
    }

    fn names(&self) -> Vec<String> {
        let name = |path: &PathBuf| {
            path.file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        };
        self.files.keys().map(name).collect()
    }

    fn has(&self, path: &Path) -> bool {
        self.files.contains_key(path)
    }

    fn rules(&self, path: &Path) -> Vec<&str> {
        let findings = self.files.get(path).map(|file| &file.findings[..]);
        findings
            .unwrap_or_default()
            .iter()
            .map(|one| one.rule.as_str())
            .collect()
    }

    fn noticed(&self, words: &str) -> bool {
        self.notices.iter().any(|notice| notice.contains(words))
    }

    /// Waits until a file that is written now was told: what happened before has been seen by then.
    fn settle(&mut self, root: &Path, name: &str) {
        let path = root.join(name);
        fs::write(&path, BAD).expect("a file");
        self.until("a later file is told", |watch| watch.has(&path));
        fs::remove_file(&path).expect("it is there");
        self.until("it is gone again", |watch| !watch.has(&path));
    }
}

/// A daemon, and a folder to watch whose path is canonical.
fn daemon() -> (Daemon, PathBuf) {
    let daemon = Daemon::start_without_engine(None);
    let root = folder(&daemon, "watched");
    (daemon, root)
}

fn folder(daemon: &Daemon, name: &str) -> PathBuf {
    let root = daemon.folder().canonicalize().expect("a folder").join(name);
    fs::create_dir(&root).expect("a folder");
    root
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[expect(clippy::print_stderr, reason = "a skipped test says so aloud")]
fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}
