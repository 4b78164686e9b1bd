//! Findings in files of the workspace that are not open: told by the daemon's watch, and pushed to the editor, or given
//! when it asks for them, whichever it does. A file is the watch's or the editor's own, never both; who closes a file
//! hands it over.

mod folders;
mod follow;
mod told;
mod words;

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use saferun_protocol::HostPath;
use tokio::{
    sync::{Notify, Semaphore, watch},
    time::Instant,
};
use tower_lsp_server::ls_types::{
    Diagnostic, FullDocumentDiagnosticReport, PreviousResultId, Uri,
    WorkspaceDocumentDiagnosticReport, WorkspaceFullDocumentDiagnosticReport,
};

use self::told::{Kept, Told, Word};
use crate::state::{Shared, path_of};

pub(crate) use follow::{TOKEN, follow};

/// How long a request for the workspace's diagnostics is held while there is nothing new, as the protocol has it; asked
/// again, the client waits on.
const HOLD: Duration = Duration::from_secs(25);
/// Files in one answer; the next request gets the others.
const MOST_AT_ONCE: usize = 1_000;

/// What is known of files that are not open.
#[derive(Debug)]
pub(crate) struct Workspace {
    inner: Mutex<Inner>,
    /// Held from the look at whose a file is until its diagnostics are on their way, so that an older word never comes
    /// after a newer one.
    turn: tokio::sync::Mutex<()>,
    /// What is to be watched changed.
    changes: watch::Sender<u64>,
    /// The daemon was reached by somebody: it is worth a try.
    there: Notify,
    /// There is something new for who asks.
    news: Notify,
    reads: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Inner {
    folders: Vec<PathBuf>,
    /// By the watch.
    told: Told,
    /// Of policy files that do not hold.
    policies: Told,
    /// The client asks for the workspace's diagnostics, so nothing of them is pushed.
    asks: bool,
    /// A person cancelled the scan.
    stopped: bool,
    ending: bool,
}

impl Inner {
    fn word(&self, path: &Path) -> Option<&Word> {
        self.told.word(path).or_else(|| self.policies.word(path))
    }

    fn word_mut(&mut self, path: &Path) -> Option<&mut Word> {
        match self.told.word_mut(path) {
            Some(word) => Some(word),
            None => self.policies.word_mut(path),
        }
    }

    fn words(&self) -> impl Iterator<Item = (&Path, &Word)> {
        self.told.words().chain(self.policies.words())
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self {
            inner: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            changes: watch::channel(0).0,
            there: Notify::new(),
            news: Notify::new(),
            reads: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Workspace {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folders of the workspace changed: some left, others came.
    pub(crate) fn change_folders(&self, gone: &[PathBuf], new: Vec<PathBuf>) {
        let mut inner = self.lock();
        inner.folders.retain(|folder| !gone.contains(folder));
        inner.folders.extend(new);
        inner.stopped = false;
        drop(inner);
        self.changed();
    }

    /// What is to be shown, or of what, changed: all is asked for again.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// A person has seen enough of a scan: nothing is watched until the folders change.
    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.changed();
    }

    /// Somebody reached the daemon.
    pub(crate) fn daemon_is_there(&self) {
        self.there.notify_waiters();
    }

    /// The server ends: nobody is kept waiting.
    pub(crate) fn end(&self) {
        self.lock().ending = true;
        self.news.notify_waiters();
    }

    fn watched(&self) -> Vec<PathBuf> {
        let inner = self.lock();
        if inner.stopped {
            return Vec::new();
        }
        inner.folders.clone()
    }

    /// The folders of the workspace.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        self.lock().folders.clone()
    }

    /// Waits for its turn to tell the client of a file.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }
}

/// Tells the client the newest word on a file, unless it is open: then it is the editor's own. `gone`: the URI of a file
/// of which nothing is to be said any more.
async fn show(shared: &Shared, path: &Path, gone: Option<Uri>) {
    let workspace = &shared.workspace;
    let _turn = workspace.turn().await;
    let said = {
        let inner = workspace.lock();
        if inner.asks {
            drop(inner);
            workspace.news.notify_waiters();
            return;
        }
        let word = inner.word(path);
        word.map(|word| (word.uri.clone(), word.diagnostics.clone()))
            .or(gone.map(|uri| (uri, Vec::new())))
    };
    if let Some((uri, all)) = said
        && !shared.is_open_path(path)
    {
        shared.client.publish_diagnostics(uri, all, None).await;
    }
}

/// Lists the mistakes of a policy file, whether or not anybody opened it.
pub(crate) async fn policy_is_wrong(shared: &Shared, path: &Path, all: Vec<Diagnostic>) {
    let Some(uri) = folders::uri(path) else {
        return;
    };
    let root = HostPath::from(path.parent().unwrap_or(path));
    let kept = {
        let mut inner = shared.workspace.lock();
        inner.policies.put(&root, path, uri, all, words::counted)
    };
    if kept == Kept::New {
        show(shared, path, None).await;
    }
}

/// Takes back what was said of a policy file.
pub(crate) async fn policy_holds(shared: &Shared, path: &Path) {
    let word = shared.workspace.lock().policies.remove(path);
    if let Some(word) = word {
        show(shared, path, Some(word.uri)).await;
    }
}

/// A file was opened: from now on it is the editor's own. `itself`: what will be said of it goes by this URI, not by
/// those of its cells.
pub(crate) async fn opened(shared: &Shared, uri: &Uri, itself: bool) {
    let workspace = &shared.workspace;
    let Some(path) = path_of(uri) else { return };
    let pushed = {
        let inner = workspace.lock();
        let word = inner.word(&path).map(|word| word.uri.clone());
        word.filter(|_| !inner.asks)
    };
    workspace.news.notify_waiters();
    // To a client that has diagnostics pushed, those of the open file take the place of these.
    let replaced = itself && pushed.as_ref().is_some_and(|before| same_file(before, uri));
    if let Some(before) = pushed
        && (shared.client_can().pull || !replaced)
    {
        let _turn = workspace.turn().await;
        shared
            .client
            .publish_diagnostics(before, Vec::new(), None)
            .await;
    }
}

/// Whether the two name one document; the cells of a notebook are documents of their own.
fn same_file(a: &Uri, b: &Uri) -> bool {
    a.scheme() == b.scheme() && path_of(a) == path_of(b)
}

/// A file was closed: what the watch said of it holds again.
pub(crate) async fn closed(shared: &Shared, uri: &Uri) {
    let workspace = &shared.workspace;
    workspace.news.notify_waiters();
    let path = path_of(uri);
    let _turn = workspace.turn().await;
    if shared.with_open(uri, |_| ()).is_some() {
        // Opened again meanwhile.
        return;
    }
    let still_open = path
        .as_deref()
        .is_some_and(|path| shared.is_open_path(path));
    let word = {
        let mut inner = workspace.lock();
        let asks = inner.asks;
        let word = path.as_deref().and_then(|path| inner.word_mut(path));
        word.filter(|_| !asks && !still_open).map(|word| {
            if same_file(&word.uri, uri) {
                // As the editor writes it.
                word.uri = uri.clone();
            }
            (word.uri.clone(), word.diagnostics.clone())
        })
    };
    let taken_over = word.as_ref().is_some_and(|(other, _)| other == uri);
    if !taken_over && !shared.client_can().pull {
        shared
            .client
            .publish_diagnostics(uri.clone(), Vec::new(), None)
            .await;
    }
    if let Some((uri, all)) = word {
        shared.client.publish_diagnostics(uri, all, None).await;
    }
}

/// Answers a client that asks: what it does not know yet, and what is no longer so. Waits, bounded, for something new.
pub(crate) async fn asked(
    shared: &Shared,
    known: Vec<PreviousResultId>,
) -> Vec<WorkspaceDocumentDiagnosticReport> {
    let workspace = &shared.workspace;
    take_back(shared).await;
    let known: HashMap<String, String> = known
        .into_iter()
        .map(|one| (one.uri.as_str().to_owned(), one.value))
        .collect();
    let deadline = Instant::now() + HOLD;
    loop {
        let news = workspace.news.notified();
        tokio::pin!(news);
        // From here on nothing new is missed.
        news.as_mut().enable();
        let items = report(shared, &known);
        if !items.is_empty() || workspace.lock().ending {
            return items;
        }
        if tokio::time::timeout_at(deadline, news).await.is_err() {
            return Vec::new();
        }
    }
}

/// The client asks for the first time: what was pushed before it did is taken back.
async fn take_back(shared: &Shared) {
    let workspace = &shared.workspace;
    let _turn = workspace.turn().await;
    let pushed: Vec<Uri> = {
        let mut inner = workspace.lock();
        if std::mem::replace(&mut inner.asks, true) {
            return;
        }
        let words = inner.words();
        words.map(|(_, word)| word.uri.clone()).collect()
    };
    for uri in pushed {
        shared
            .client
            .publish_diagnostics(uri, Vec::new(), None)
            .await;
    }
}

fn report(
    shared: &Shared,
    known: &HashMap<String, String>,
) -> Vec<WorkspaceDocumentDiagnosticReport> {
    let inner = shared.workspace.lock();
    let mut current: HashSet<&str> = HashSet::new();
    let mut items = Vec::new();
    for (path, word) in inner.words() {
        if shared.is_open_path(path) {
            continue;
        }
        current.insert(word.uri.as_str());
        let id = word.id.to_string();
        if items.len() < MOST_AT_ONCE && known.get(word.uri.as_str()) != Some(&id) {
            items.push(item(word.uri.clone(), Some(id), word.diagnostics.clone()));
        }
    }
    let over = known.keys().filter(|uri| !current.contains(uri.as_str()));
    let over = over.filter_map(|uri| uri.parse().ok());
    items.extend(over.map(|uri| item(uri, None, Vec::new())));
    items
}

fn item(
    uri: Uri,
    result_id: Option<String>,
    items: Vec<Diagnostic>,
) -> WorkspaceDocumentDiagnosticReport {
    WorkspaceDocumentDiagnosticReport::Full(WorkspaceFullDocumentDiagnosticReport {
        uri,
        version: None,
        full_document_diagnostic_report: FullDocumentDiagnosticReport { result_id, items },
    })
}
