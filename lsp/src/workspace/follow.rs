//! Keeps a subscription to the daemon's watch as long as there is something to watch: takes it up again when the daemon
//! comes back, and takes back what was said when it stays away. Never starts the daemon.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jsonrpsee::core::client::Subscription;
use saferun_protocol::{
    ApiClient as _, Client, HostPath, MAX_WATCH_ROOTS, Risk, RootState, WatchEvent, WatchRequest,
    WatchRoot, WatchedFile,
};
use saferun_scanner::Level;
use tokio::{sync::watch, time::Instant};
use tower_lsp_server::ls_types::{
    MessageType, ProgressParams, ProgressParamsValue, ProgressToken, WorkDoneProgress,
    WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport, notification::Progress,
};

use super::{
    Kept,
    folders::{self, Folders},
    show, told,
    words::{self, View},
};
use crate::{daemon, settings::WatchFiles, state::Shared, text::one_line};

/// Progress of a scan of the whole workspace.
pub(crate) const TOKEN: &str = "saferun-workspace";
/// Between two tries to reach the daemon: first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// What was said stays so long while the daemon is away: it may only be replaced by its successor.
const GRACE: Duration = Duration::from_secs(5);
/// How long the daemon may take to be reached, and to begin the watch.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long a client may take to make a progress bar.
const BAR_WITHIN: Duration = Duration::from_secs(2);
/// Events that are taken together: of each file only the last one counts.
const BATCH: usize = 1_024;

/// How a subscription ended.
enum End {
    /// Something else is to be watched.
    Changed,
    /// No daemon listens, or it went away.
    Away { served: bool },
    /// The daemon does not watch it, and says why.
    Refused(String),
}

/// Follows the watch until the server ends.
pub(crate) async fn follow(shared: Arc<Shared>) {
    let mut changes = shared.workspace.changes.subscribe();
    let (mut pause, mut away, mut said) = (PAUSES.0, None, String::new());
    let mut beyond = 0;
    loop {
        changes.borrow_and_update();
        let folders = wanted(&shared).await;
        if std::mem::replace(&mut beyond, folders.beyond) != folders.beyond && beyond > 0 {
            let what = format!(
                "{beyond} folders of the workspace are not watched: a watch has at most {MAX_WATCH_ROOTS}"
            );
            log(&shared, MessageType::WARNING, what);
        }
        forget(&shared, |path| folders.holds(path)).await;
        if folders.is_empty() {
            if changes.changed().await.is_err() {
                return;
            }
            continue;
        }
        let end = serve(&shared, &folders, &mut changes, &mut away).await;
        match end {
            End::Changed => {
                pause = PAUSES.0;
                continue;
            }
            End::Away { served: true } => pause = PAUSES.0,
            End::Away { served: false } => {}
            End::Refused(why) => {
                if why != said {
                    log(
                        &shared,
                        MessageType::WARNING,
                        format!("the workspace is not watched: {why}"),
                    );
                    said = why;
                }
            }
        }
        if away.get_or_insert_with(Instant::now).elapsed() >= GRACE {
            forget(&shared, |_| false).await;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSES.1),
            () = shared.workspace.there.notified() => pause = PAUSES.0,
            alive = changes.changed() => if alive.is_err() { return },
        }
    }
}

/// The folders that are to be watched now.
async fn wanted(shared: &Shared) -> Folders {
    let named = shared.workspace.watched();
    if shared.settings().watch == WatchFiles::Off || named.is_empty() {
        return Folders::default();
    }
    let look = tokio::task::spawn_blocking(move || Folders::of(&named));
    // A workspace on a file system that hangs is not watched.
    let looked = tokio::time::timeout(ANSWER_WITHIN, look).await;
    looked.ok().and_then(Result::ok).unwrap_or_default()
}

/// Takes back what was said of files that are not to be kept.
async fn forget(shared: &Shared, keep: impl Fn(&Path) -> bool) {
    let gone = shared.workspace.lock().told.outside(keep);
    for path in gone {
        remove(shared, &path).await;
    }
}

async fn remove(shared: &Shared, path: &Path) {
    let word = shared.workspace.lock().told.remove(path);
    if let Some(word) = word {
        show(shared, path, Some(word.uri)).await;
    }
}

/// One subscription, from its request to its end. Once it is there, the daemon is not `away` any more.
async fn serve(
    shared: &Arc<Shared>,
    folders: &Folders,
    changes: &mut watch::Receiver<u64>,
    away: &mut Option<Instant>,
) -> End {
    let reached = tokio::time::timeout(ANSWER_WITHIN, daemon::reach_running()).await;
    let Some(client) = reached.ok().flatten() else {
        return End::Away { served: false };
    };
    let settings = shared.settings();
    let mut request = WatchRequest::new(folders.roots());
    request.only_generated = settings.watch == WatchFiles::Generated;
    request.least = (settings.minimum_level > Level::Low).then(|| risk(settings.minimum_level));
    let asked = client.subscribe_watch(request);
    let events = match tokio::time::timeout(ANSWER_WITHIN, asked).await {
        Ok(Ok(events)) => events,
        Ok(Err(error)) => return End::Refused(one_line(&daemon::explain(&error))),
        Err(_) => return End::Away { served: false },
    };
    *away = None;
    for root in folders.roots() {
        shared.workspace.lock().told.begin(&root);
    }
    let session = Session {
        shared,
        folders,
        view: View {
            encoding: shared.encoding(),
            least: settings.minimum_level,
        },
        states: HashMap::new(),
        bar: false,
        full: false,
        _client: client,
    };
    session.run(events, changes).await
}

/// One subscription.
struct Session<'a> {
    shared: &'a Arc<Shared>,
    folders: &'a Folders,
    view: View,
    /// What the log was told of each root.
    states: HashMap<HostPath, (RootState, Option<String>)>,
    /// A progress bar is shown.
    bar: bool,
    /// It was said that there are too many files.
    full: bool,
    /// Ends the subscription when dropped.
    _client: Client,
}

impl Session<'_> {
    async fn run(
        mut self,
        mut events: Subscription<WatchEvent>,
        changes: &mut watch::Receiver<u64>,
    ) -> End {
        let end = loop {
            let first = tokio::select! {
                event = events.next() => event,
                _ = changes.changed() => break End::Changed,
            };
            let mut batch = Vec::new();
            let mut next = first;
            // What is there already comes along, so that of a file that changes often only the last word is looked at.
            let broken = loop {
                match next {
                    Some(Ok(event)) => batch.push(event),
                    Some(Err(error)) => {
                        break Some(End::Refused(format!(
                            "the daemon speaks otherwise: {error}"
                        )));
                    }
                    None => break Some(End::Away { served: true }),
                }
                if batch.len() == BATCH {
                    break None;
                }
                match tokio::time::timeout(Duration::ZERO, events.next()).await {
                    Ok(event) => next = event,
                    Err(_) => break None,
                }
            };
            self.take(batch).await;
            if let Some(end) = broken {
                break end;
            }
        };
        self.end_bar().await;
        end
    }

    async fn take(&mut self, batch: Vec<WatchEvent>) {
        let mut last: HashMap<HostPath, usize> = HashMap::new();
        for (number, event) in batch.iter().enumerate() {
            if let Some(file) = file_of(event) {
                last.insert(file.clone(), number);
            }
        }
        for (number, event) in batch.into_iter().enumerate() {
            let newest = file_of(&event).is_none_or(|file| last.get(file) == Some(&number));
            if newest {
                self.one(event).await;
            }
        }
    }

    async fn one(&mut self, event: WatchEvent) {
        match event {
            WatchEvent::File(file) => self.file(&file).await,
            WatchEvent::Cleared { file, .. } => {
                if let Some(path) = self.named(&file) {
                    remove(self.shared, &path).await;
                }
            }
            WatchEvent::Resync { root } => self.shared.workspace.lock().told.begin(&root),
            WatchEvent::Ready(root) => {
                let stale = self.shared.workspace.lock().told.unspoken(&root.root);
                for path in stale {
                    remove(self.shared, &path).await;
                }
                self.end_bar().await;
                self.state(root);
            }
            WatchEvent::Root(root) => self.state(root),
            WatchEvent::Progress { files, .. } => self.progress(files).await,
            WatchEvent::Notice {
                root,
                message,
                advice,
            } => {
                let what = format!("{}: {message}; {advice}", root.path);
                log(self.shared, MessageType::WARNING, one_line(&what));
            }
            // A later daemon may tell more.
            _ => {}
        }
    }

    async fn file(&mut self, file: &WatchedFile) {
        let Some(path) = self.named(&file.file) else {
            return;
        };
        let Some(uri) = folders::uri(&path) else {
            return;
        };
        let all = words::of_file(file, self.view, &self.shared.workspace.reads).await;
        if all.is_empty() {
            return remove(self.shared, &path).await;
        }
        let kept = {
            let mut inner = self.shared.workspace.lock();
            inner.told.put(&file.root, &path, uri, all, words::counted)
        };
        match kept {
            Kept::New => show(self.shared, &path, None).await,
            Kept::Same => {}
            Kept::Full if self.full => {}
            Kept::Full => {
                self.full = true;
                let most = told::MAX_FILES;
                log(
                    self.shared,
                    MessageType::WARNING,
                    format!(
                        "more than {most} files of the workspace have findings: `saferunctl watch` shows the others"
                    ),
                );
            }
        }
    }

    fn named(&self, file: &HostPath) -> Option<PathBuf> {
        self.folders.named(&file.to_path()?)
    }

    /// Tells the log how a root is doing, once for each state.
    fn state(&mut self, root: WatchRoot) {
        let now = (root.state, root.reason.clone());
        if root.state == RootState::Scanning || self.states.get(&root.root) == Some(&now) {
            return;
        }
        let doing = match root.state {
            RootState::Watching => "watching",
            RootState::Polling => "looking every few seconds at",
            _ => "waiting for",
        };
        let mut what = format!(
            "{doing} {}: {} files, {} with findings",
            root.root.path, root.files, root.with_findings
        );
        if let Some(reason) = &root.reason {
            what = format!("{what} ({reason})");
        }
        if !root.skipped.is_empty() {
            what = format!("{what}; passed over: {}", root.skipped.join(" "));
        }
        log(self.shared, MessageType::INFO, one_line(&what));
        self.states.insert(root.root, now);
    }

    /// Shows how far a long scan is.
    async fn progress(&mut self, files: u64) {
        if !self.shared.client_can().progress {
            return;
        }
        let message = Some(format!("{files} files"));
        if self.bar {
            let report = WorkDoneProgressReport {
                cancellable: Some(true),
                message,
                percentage: None,
            };
            return self.bar_says(WorkDoneProgress::Report(report)).await;
        }
        let token = ProgressToken::String(TOKEN.to_owned());
        let bar = self.shared.client.create_work_done_progress(token);
        if let Ok(Ok(())) = tokio::time::timeout(BAR_WITHIN, bar).await {
            self.bar = true;
            let begin = WorkDoneProgressBegin {
                title: "SafeRun: first look at the workspace".to_owned(),
                cancellable: Some(true),
                message,
                percentage: None,
            };
            self.bar_says(WorkDoneProgress::Begin(begin)).await;
        }
    }

    async fn end_bar(&mut self) {
        if std::mem::take(&mut self.bar) {
            self.bar_says(WorkDoneProgress::End(WorkDoneProgressEnd::default()))
                .await;
        }
    }

    async fn bar_says(&self, what: WorkDoneProgress) {
        let params = ProgressParams {
            token: ProgressToken::String(TOKEN.to_owned()),
            value: ProgressParamsValue::WorkDone(what),
        };
        self.shared
            .client
            .send_notification::<Progress>(params)
            .await;
    }
}

fn file_of(event: &WatchEvent) -> Option<&HostPath> {
    match event {
        WatchEvent::File(file) => Some(&file.file),
        WatchEvent::Cleared { file, .. } => Some(file),
        _ => None,
    }
}

const fn risk(level: Level) -> Risk {
    match level {
        Level::Low => Risk::Low,
        Level::Medium => Risk::Medium,
        Level::High => Risk::High,
        Level::Blocked => Risk::Blocked,
    }
}

/// Tells the client's log. Does not wait for it.
fn log(shared: &Shared, kind: MessageType, what: String) {
    let client = shared.client.clone();
    tokio::spawn(async move { client.log_message(kind, what).await });
}
