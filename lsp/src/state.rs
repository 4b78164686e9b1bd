//! What the server knows: open files, settings, what the client can do. The lock is held for the blink of an eye and
//! never across an await; nobody else has a copy of it.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use saferun_scanner::Level;
use tokio::sync::{Notify, Semaphore};
use tower_lsp_server::{
    Client,
    ls_types::{ClientCapabilities, Diagnostic, Uri},
};

use crate::{
    diagnostics,
    document::Open,
    notebook::Notebook,
    policy::{Answer, Policies},
    position::Encoding,
    run::{Reports, Runs},
    settings::Settings,
    workspace::Workspace,
};

/// Files that are looked after at the same time; further ones are open but not scanned.
pub(crate) const MOST_OPEN: usize = 4_000;

/// What the client said that it can do.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a capability of its own"
)]
pub(crate) struct ClientCan {
    /// It asks for diagnostics itself, and again when told to. One that cannot be told would not hear of the results
    /// of a run: it gets them pushed.
    pub(crate) pull: bool,
    pub(crate) refresh_lenses: bool,
    pub(crate) progress: bool,
    pub(crate) show_document: bool,
    pub(crate) configuration: bool,
    /// It can be told later that configuration is of interest.
    pub(crate) register_configuration: bool,
    /// It can be asked to tell of files that change.
    pub(crate) watch_files: bool,
    /// The same of files outside of the workspace.
    pub(crate) relative_patterns: bool,
    /// It knows the notifications of our plugins.
    pub(crate) events: bool,
    /// It has a prompt with free text.
    pub(crate) override_prompt: bool,
}

impl ClientCan {
    pub(crate) fn of(capabilities: &ClientCapabilities) -> Self {
        let workspace = capabilities.workspace.as_ref();
        let window = capabilities.window.as_ref();
        let files = capabilities.text_document.as_ref();
        let ours = capabilities
            .experimental
            .as_ref()
            .and_then(|all| all.get("saferun"));
        let watched = workspace.and_then(|workspace| workspace.did_change_watched_files.as_ref());
        let our = |name: &str| {
            ours.and_then(|ours| ours.get(name))
                .and_then(serde_json::Value::as_bool)
                .unwrap_or(false)
        };
        let refreshes = workspace
            .and_then(|workspace| workspace.diagnostics.as_ref()?.refresh_support)
            .unwrap_or(false);
        Self {
            pull: refreshes && files.is_some_and(|files| files.diagnostic.is_some()),
            refresh_lenses: workspace
                .and_then(|workspace| workspace.code_lens.as_ref()?.refresh_support)
                .unwrap_or(false),
            progress: window
                .and_then(|window| window.work_done_progress)
                .unwrap_or(false),
            show_document: window
                .and_then(|window| window.show_document.as_ref())
                .is_some_and(|document| document.support),
            configuration: workspace
                .and_then(|workspace| workspace.configuration)
                .unwrap_or(false),
            register_configuration: workspace
                .and_then(|workspace| workspace.did_change_configuration.as_ref())
                .and_then(|change| change.dynamic_registration)
                .unwrap_or(false),
            watch_files: watched
                .and_then(|watched| watched.dynamic_registration)
                .unwrap_or(false),
            relative_patterns: watched
                .and_then(|watched| watched.relative_pattern_support)
                .unwrap_or(false),
            events: our("events"),
            override_prompt: our("overridePrompt"),
        }
    }
}

/// Everything that handlers and workers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) runs: Runs,
    pub(crate) reports: Reports,
    /// As many scans as there are cores.
    pub(crate) scans: Arc<Semaphore>,
    /// Woken whenever a scan has ended.
    pub(crate) scanned: Notify,
    pub(crate) policies: Policies,
    /// Files of the workspace that are not open.
    pub(crate) workspace: Workspace,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    open: HashMap<String, Open>,
    notebooks: HashMap<String, Notebook>,
    /// How many open documents stand for each file: the cells of a notebook may be documents of their own.
    paths: HashMap<PathBuf, usize>,
    settings: Settings,
    encoding: Encoding,
    can: ClientCan,
}

impl Inner {
    /// A document was opened or closed.
    fn counted(&mut self, uri: &Uri, more: isize) {
        let Some(path) = path_of(uri) else { return };
        let count = self.paths.entry(path.clone()).or_default();
        *count = count.saturating_add_signed(more);
        if *count == 0 {
            self.paths.remove(&path);
        }
    }
}

impl Shared {
    pub(crate) fn new(client: Client) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            client,
            runs: Runs::default(),
            reports: Reports::default(),
            scans: Arc::new(Semaphore::new(cores.max(2))),
            scanned: Notify::new(),
            policies: Policies::default(),
            workspace: Workspace::default(),
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn agree(&self, encoding: Encoding, can: ClientCan) {
        let mut inner = self.lock();
        inner.encoding = encoding;
        inner.can = can;
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.lock().encoding
    }

    pub(crate) fn client_can(&self) -> ClientCan {
        self.lock().can
    }

    pub(crate) fn settings(&self) -> Settings {
        self.lock().settings.clone()
    }

    pub(crate) fn set_settings(&self, settings: Settings) {
        self.lock().settings = settings;
    }

    pub(crate) fn open(&self, uri: &Uri, open: Open) -> bool {
        let mut inner = self.lock();
        if inner.open.len() >= MOST_OPEN {
            return false;
        }
        if let Some(before) = inner.open.insert(uri.as_str().to_owned(), open) {
            before.cancel.cancel();
        } else {
            inner.counted(uri, 1);
        }
        true
    }

    pub(crate) fn close(&self, uri: &Uri) {
        let mut inner = self.lock();
        if let Some(open) = inner.open.remove(uri.as_str()) {
            open.cancel.cancel();
            inner.counted(uri, -1);
        }
        drop(inner);
        self.scanned.notify_waiters();
    }

    /// Does something quick with an open file; `None` if it is not open.
    pub(crate) fn with_open<T>(&self, uri: &Uri, act: impl FnOnce(&mut Open) -> T) -> Option<T> {
        self.lock().open.get_mut(uri.as_str()).map(act)
    }

    /// Takes a notebook whose cells are opened next; false where too many files are open.
    pub(crate) fn open_notebook(&self, id: &Uri, notebook: Notebook) -> bool {
        let mut inner = self.lock();
        let room = inner.notebooks.len() < MOST_OPEN && notebook.cells().len() <= MOST_OPEN;
        if room
            && inner
                .notebooks
                .insert(id.as_str().to_owned(), notebook)
                .is_none()
        {
            inner.counted(id, 1);
        }
        room
    }

    /// Closes a notebook, and gives the cells that were open in it.
    pub(crate) fn close_notebook(&self, id: &Uri) -> Vec<Uri> {
        let mut inner = self.lock();
        let gone = inner.notebooks.remove(id.as_str());
        if gone.is_some() {
            inner.counted(id, -1);
        }
        drop(inner);
        let cells = gone.map(|notebook| notebook.cells().to_vec());
        let cells = cells.unwrap_or_default();
        for cell in &cells {
            self.close(cell);
        }
        cells
    }

    /// Does something quick with a notebook; `None` if it is not open.
    pub(crate) fn with_notebook<T>(
        &self,
        id: &Uri,
        act: impl FnOnce(&mut Notebook) -> T,
    ) -> Option<T> {
        self.lock().notebooks.get_mut(id.as_str()).map(act)
    }

    /// The file that a text is in: the notebook for a cell, else itself.
    pub(crate) fn file_of(&self, uri: &Uri) -> Uri {
        let notebook = self.with_open(uri, |open| open.notebook.clone());
        notebook.flatten().unwrap_or_else(|| uri.clone())
    }

    /// Whether a file, or a part of it, is open.
    pub(crate) fn is_open_path(&self, path: &Path) -> bool {
        self.lock().paths.contains_key(path)
    }

    /// The open files.
    pub(crate) fn all_open(&self) -> Vec<Uri> {
        let inner = self.lock();
        inner
            .open
            .keys()
            .filter_map(|uri| uri.parse().ok())
            .collect()
    }

    /// The folders of the workspace, and those that an open file is in.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        let mut all = self.workspace.folders();
        let inner = self.lock();
        let open = inner.paths.keys().filter_map(|path| path.parent());
        all.extend(open.map(PathBuf::from));
        drop(inner);
        all.sort();
        all.dedup();
        all
    }

    /// What is to be said of a file now; `None` if it is not open.
    pub(crate) fn diagnostics(&self, uri: &Uri) -> Option<(i32, Vec<Diagnostic>)> {
        let mut inner = self.lock();
        let (encoding, least): (Encoding, Level) = (inner.encoding, inner.settings.minimum_level);
        let open = inner.open.get_mut(uri.as_str())?;
        Some((
            open.version,
            diagnostics::of_open(uri, open, encoding, least),
        ))
    }

    /// A scan ended or marks changed: pushes, or has the client ask again, whichever it chose.
    pub(crate) async fn found(&self, uri: &Uri) {
        self.scanned.notify_waiters();
        if self.client_can().pull {
            return;
        }
        let _turn = self.workspace.turn().await;
        if let Some((version, all)) = self.diagnostics(uri) {
            self.client
                .publish_diagnostics(uri.clone(), all, Some(version))
                .await;
        }
    }

    /// Has the client ask for everything again. Does not wait for it.
    pub(crate) fn refresh(&self) {
        let can = self.client_can();
        let client = self.client.clone();
        tokio::spawn(async move {
            let within = std::time::Duration::from_secs(5);
            if can.pull {
                let _ = tokio::time::timeout(within, client.workspace_diagnostic_refresh()).await;
            }
            if can.refresh_lenses {
                let _ = tokio::time::timeout(within, client.code_lens_refresh()).await;
            }
        });
    }

    /// The policy that holds for a file. Reads files: not for an async thread.
    pub(crate) fn policy_of(&self, uri: &Uri) -> Answer {
        let preset = self.settings().policy;
        self.policies
            .of(folder_of(&self.file_of(uri)).as_deref(), preset.as_deref())
    }
}

/// The folder that a file is in, if it is on a disk.
pub(crate) fn folder_of(uri: &Uri) -> Option<PathBuf> {
    let path = uri.to_file_path().filter(|path| path.is_absolute())?;
    path.parent().map(PathBuf::from)
}

/// The file on a disk that a document is, or is a part of; the past of a file and the like are none.
pub(crate) fn path_of(uri: &Uri) -> Option<PathBuf> {
    let scheme = uri.scheme().as_str();
    if !matches!(scheme, "file" | "vscode-notebook-cell") {
        return None;
    }
    let path = uri.to_file_path().filter(|path| path.is_absolute())?;
    Some(path.into_owned())
}

/// The base name of a file.
pub(crate) fn name_of(uri: &Uri) -> String {
    uri.to_file_path()
        .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "main.py".to_owned())
}
