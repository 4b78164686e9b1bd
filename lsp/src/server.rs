//! The protocol's methods: each one reads or writes the state, and hands work to its module. State is written before
//! anything is awaited, because the library runs notifications concurrently and begins them in order.

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tower_lsp_server::{
    LanguageServer,
    jsonrpc::{Error, Result},
    ls_types::{
        CodeActionKind, CodeActionOptions, CodeActionParams, CodeActionProviderCapability,
        CodeActionResponse, CodeLens, CodeLensOptions, CodeLensParams, CompletionOptions,
        CompletionParams, CompletionResponse, ConfigurationItem, DiagnosticOptions,
        DiagnosticServerCapabilities, DidChangeConfigurationParams,
        DidChangeNotebookDocumentParams, DidChangeTextDocumentParams, DidChangeWatchedFilesParams,
        DidChangeWorkspaceFoldersParams, DidCloseNotebookDocumentParams,
        DidCloseTextDocumentParams, DidOpenNotebookDocumentParams, DidOpenTextDocumentParams,
        DidSaveTextDocumentParams, DocumentDiagnosticParams, DocumentDiagnosticReport,
        DocumentDiagnosticReportResult, ExecuteCommandOptions, ExecuteCommandParams,
        FullDocumentDiagnosticReport, Hover, HoverParams, HoverProviderCapability,
        InitializeParams, InitializeResult, InitializedParams, LSPAny, MessageType, Notebook,
        NotebookCellSelector, NotebookDocumentSyncOptions, NotebookSelector, OneOf, ProgressToken,
        Registration, RelatedFullDocumentDiagnosticReport, SaveOptions, ServerCapabilities,
        ServerInfo, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
        TextDocumentSyncSaveOptions, Uri, WorkDoneProgressCancelParams, WorkspaceDiagnosticParams,
        WorkspaceDiagnosticReport, WorkspaceDiagnosticReportResult, WorkspaceFolder,
        WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
    },
};

use crate::{
    actions, commands,
    document::{Kind, Open},
    faults, hover, lens, notebook, parent, policy_file,
    position::Encoding,
    scan,
    settings::Settings,
    state::{ClientCan, Shared, path_of},
    workspace,
};

pub(crate) const RUN: &str = "saferun.run";
pub(crate) const RUN_OVERRIDE: &str = "saferun.runWithOverride";
pub(crate) const CLEAR: &str = "saferun.clearResults";
pub(crate) const COMMANDS: [&str; 8] = [
    RUN,
    RUN_OVERRIDE,
    CLEAR,
    "saferun.cancel",
    "saferun.status",
    "saferun.history",
    "saferun.account",
    "saferun.startDaemon",
];
/// How long a request for diagnostics waits for the scan of the newest text.
const SCAN_WITHIN: Duration = Duration::from_secs(20);
/// The same for what a person waits for with a menu or a box: better less than late.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// The server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) shared: Arc<Shared>,
}

impl Server {
    /// Progress that a person cancelled is a run that is to end.
    #[expect(clippy::unused_async, reason = "the library takes async handlers")]
    pub(crate) async fn progress_cancelled(&self, params: WorkDoneProgressCancelParams) {
        if let ProgressToken::String(token) = params.token {
            if token == workspace::TOKEN {
                return self.shared.workspace.stop();
            }
            self.shared.runs.cancel(Some(&token));
        }
    }

    async fn configure(&self) {
        if !self.shared.client_can().configuration {
            return;
        }
        let item = ConfigurationItem {
            scope_uri: None,
            section: Some("saferun".to_owned()),
        };
        let asked = self.shared.client.configuration(vec![item]);
        if let Ok(Ok(values)) = tokio::time::timeout(Duration::from_secs(10), asked).await
            && let Some(value) = values.first()
            && !value.is_null()
        {
            self.apply(value).await;
        }
    }

    /// A policy file was written: what goes by it is looked at again.
    fn policy_changed(&self) {
        self.shared.policies.forget();
        for uri in self.shared.all_open() {
            self.shared.with_open(&uri, Open::rescan);
            scan::wake(&self.shared, &uri);
        }
        self.shared.refresh();
    }

    async fn apply(&self, section: &Value) {
        let (settings, wrong) = Settings::read(section);
        let before = self.shared.settings();
        let shown = (settings.watch, settings.minimum_level);
        self.shared.set_settings(settings);
        if (before.watch, before.minimum_level) != shown {
            self.shared.workspace.changed();
        }
        for uri in self.shared.all_open() {
            self.shared.with_open(&uri, Open::rescan);
            scan::wake(&self.shared, &uri);
        }
        self.shared.refresh();
        for what in wrong {
            self.shared
                .client
                .log_message(MessageType::WARNING, what)
                .await;
        }
    }

    /// Takes away what was pushed of texts that are closed.
    async fn forget(&self, closed: Vec<Uri>) {
        if self.shared.client_can().pull {
            return;
        }
        for uri in closed {
            let client = &self.shared.client;
            client.publish_diagnostics(uri, Vec::new(), None).await;
        }
    }

    /// Waits, bounded, until what was found is of the text as it stands.
    async fn settled(&self, uri: &Uri, within: Duration) {
        let settle = async {
            loop {
                let scanned = self.shared.scanned.notified();
                tokio::pin!(scanned);
                // From here on no notification is missed.
                scanned.as_mut().enable();
                let current = self.shared.with_open(uri, |open| open.current().is_some());
                if current != Some(false) {
                    return;
                }
                scanned.await;
            }
        };
        let _ = tokio::time::timeout(within, settle).await;
    }
}

fn capabilities(can: ClientCan, encoding: Encoding) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(
            TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(TextDocumentSyncKind::INCREMENTAL),
                save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions {
                    include_text: Some(false),
                })),
                ..TextDocumentSyncOptions::default()
            },
        )),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(vec![":".to_owned(), " ".to_owned()]),
            ..CompletionOptions::default()
        }),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![
                CodeActionKind::QUICKFIX,
                CodeActionKind::new("source.saferun.run"),
            ]),
            ..CodeActionOptions::default()
        })),
        code_lens_provider: Some(CodeLensOptions {
            resolve_provider: Some(false),
        }),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: COMMANDS.map(str::to_owned).to_vec(),
            ..ExecuteCommandOptions::default()
        }),
        diagnostic_provider: can.pull.then(|| {
            DiagnosticServerCapabilities::Options(DiagnosticOptions {
                identifier: Some("saferun".to_owned()),
                inter_file_dependencies: false,
                workspace_diagnostics: true,
                ..DiagnosticOptions::default()
            })
        }),
        notebook_document_sync: Some(OneOf::Left(NotebookDocumentSyncOptions {
            notebook_selector: vec![NotebookSelector::ByNotebook {
                notebook: Notebook::String("jupyter-notebook".to_owned()),
                cells: Some(vec![NotebookCellSelector {
                    language: "python".to_owned(),
                }]),
            }],
            save: None,
        })),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            ..WorkspaceServerCapabilities::default()
        }),
        ..ServerCapabilities::default()
    }
}

impl LanguageServer for Server {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let can = ClientCan::of(&params.capabilities);
        let offered = params
            .capabilities
            .general
            .as_ref()
            .and_then(|general| general.position_encodings.as_deref());
        let encoding = Encoding::negotiate(offered);
        self.shared.agree(encoding, can);
        if let Some(options) = &params.initialization_options {
            self.shared.set_settings(Settings::read(options).0);
        }
        self.shared
            .workspace
            .change_folders(&[], folders_of(&params));
        parent::watch(params.process_id);
        Ok(InitializeResult {
            capabilities: capabilities(can, encoding),
            server_info: Some(ServerInfo {
                name: "saferun-lsp".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            ..InitializeResult::default()
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        let can = self.shared.client_can();
        let configuration = can.register_configuration.then(|| Registration {
            id: "saferun-configuration".to_owned(),
            method: "workspace/didChangeConfiguration".to_owned(),
            register_options: Some(json!({"section": "saferun"})),
        });
        let wanted: Vec<Registration> = configuration
            .into_iter()
            .chain(faults::registration(can))
            .collect();
        if !wanted.is_empty() {
            let asked = self.shared.client.register_capability(wanted);
            let _ = tokio::time::timeout(Duration::from_secs(5), asked).await;
        }
        self.configure().await;
        tokio::spawn(workspace::follow(Arc::clone(&self.shared)));
        tokio::spawn(faults::follow(Arc::clone(&self.shared)));
    }

    async fn shutdown(&self) -> Result<()> {
        self.shared.runs.cancel(None);
        self.shared.workspace.end();
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        let file = params.text_document;
        let Some(kind) = Kind::of(&file.language_id, file.uri.path().as_str()) else {
            return;
        };
        if self
            .shared
            .open(&file.uri, Open::new(kind, file.version, file.text))
        {
            scan::wake(&self.shared, &file.uri);
            workspace::opened(&self.shared, &file.uri, true).await;
        }
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let uri = params.text_document.uri;
        let version = params.text_document.version;
        let encoding = self.shared.encoding();
        let changed = self.shared.with_open(&uri, |open| {
            open.change(version, params.content_changes, encoding)
        });
        if changed == Some(true) {
            scan::wake(&self.shared, &uri);
        }
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        let policy = |open: &mut Open| matches!(open.kind, Kind::Policy(_));
        if self.shared.with_open(&params.text_document.uri, policy) == Some(true) {
            self.policy_changed();
        }
    }

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        let mut changed = params.changes.iter();
        if changed.any(|change| faults::is_called_like_a_policy(&change.uri)) {
            self.policy_changed();
        }
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        let uri = params.text_document.uri;
        self.shared.close(&uri);
        workspace::closed(&self.shared, &uri).await;
    }

    async fn notebook_did_open(&self, params: DidOpenNotebookDocumentParams) {
        let id = params.notebook_document.uri.clone();
        notebook::opened(&self.shared, params);
        workspace::opened(&self.shared, &id, false).await;
    }

    async fn notebook_did_change(&self, params: DidChangeNotebookDocumentParams) {
        let gone = notebook::changed(&self.shared, params);
        self.forget(gone).await;
    }

    async fn notebook_did_close(&self, params: DidCloseNotebookDocumentParams) {
        let id = params.notebook_document.uri;
        let gone = self.shared.close_notebook(&id);
        self.forget(gone).await;
        workspace::closed(&self.shared, &id).await;
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        let paths = |folders: Vec<WorkspaceFolder>| -> Vec<PathBuf> {
            let paths = folders.iter().filter_map(|folder| path_of(&folder.uri));
            paths.collect()
        };
        let (gone, new) = (paths(params.event.removed), paths(params.event.added));
        self.shared.workspace.change_folders(&gone, new);
        self.shared.policies.forget();
    }

    async fn workspace_diagnostic(
        &self,
        params: WorkspaceDiagnosticParams,
    ) -> Result<WorkspaceDiagnosticReportResult> {
        let items = workspace::asked(&self.shared, params.previous_result_ids).await;
        let report = WorkspaceDiagnosticReport { items };
        Ok(WorkspaceDiagnosticReportResult::Report(report))
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        if self.shared.client_can().configuration {
            self.configure().await;
        } else if !params.settings.is_null() {
            self.apply(&params.settings).await;
        }
    }

    async fn diagnostic(
        &self,
        params: DocumentDiagnosticParams,
    ) -> Result<DocumentDiagnosticReportResult> {
        let uri = params.text_document.uri;
        self.settled(&uri, SCAN_WITHIN).await;
        let items = self
            .shared
            .diagnostics(&uri)
            .map(|(_, all)| all)
            .unwrap_or_default();
        let full = RelatedFullDocumentDiagnosticReport {
            related_documents: None,
            full_document_diagnostic_report: FullDocumentDiagnosticReport {
                result_id: None,
                items,
            },
        };
        Ok(DocumentDiagnosticReportResult::Report(
            DocumentDiagnosticReport::Full(full),
        ))
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let at = params.text_document_position_params;
        let uri = at.text_document.uri;
        let encoding = self.shared.encoding();
        self.settled(&uri, ANSWER_WITHIN).await;
        let seen = self.shared.with_open(&uri, |open| match open.kind {
            Kind::Policy(_) => (Some(open.text.clone()), None),
            // What was found in an older text has places that are wrong now.
            _ => (None, open.current().cloned()),
        });
        let shared = Arc::clone(&self.shared);
        blocking(move || match seen {
            Some((Some(text), _)) => policy_file::hover(&text, at.position, encoding),
            Some((None, Some(found))) => {
                let policy = shared.policy_of(&uri);
                hover::at(&found, at.position, encoding, &policy)
            }
            _ => None,
        })
        .await
    }

    async fn completion(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        let at = params.text_document_position;
        let encoding = self.shared.encoding();
        let text = self
            .shared
            .with_open(&at.text_document.uri, |open| match open.kind {
                Kind::Policy(project) => Some((open.text.clone(), project)),
                _ => None,
            });
        let Some(Some((text, project))) = text else {
            return Ok(None);
        };
        blocking(move || policy_file::complete(&text, at.position, encoding, project))
            .await
            .map(|items| Some(CompletionResponse::Array(items)))
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let uri = params.text_document.uri.clone();
        let encoding = self.shared.encoding();
        // Asked right after a key, the answer is of the new text and has its quick fixes.
        self.settled(&uri, ANSWER_WITHIN).await;
        let seen = self.shared.with_open(&uri, |open| {
            // What was found in an older text has places that are wrong now.
            (open.kind, open.current().cloned(), !open.marks.is_empty())
        });
        let Some((kind, found, marked)) = seen else {
            return Ok(None);
        };
        let shared = Arc::clone(&self.shared);
        blocking(move || {
            let policy = shared.policy_of(&uri);
            let asked = actions::Asked {
                params: &params,
                kind,
                found: found.as_deref(),
                marked,
                encoding,
                policy: &policy,
            };
            Some(actions::of(&asked))
        })
        .await
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        if !self.shared.settings().code_lens {
            return Ok(None);
        }
        let uri = params.text_document.uri;
        self.settled(&uri, SCAN_WITHIN).await;
        Ok(self.shared.with_open(&uri, |open| lens::of(&uri, open)))
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<LSPAny>> {
        commands::execute(&self.shared, &params.command, params.arguments)
            .await
            .map(Some)
    }
}

/// The folders of the workspace; older clients name one by itself.
fn folders_of(params: &InitializeParams) -> Vec<PathBuf> {
    if let Some(folders) = &params.workspace_folders {
        return folders
            .iter()
            .filter_map(|folder| path_of(&folder.uri))
            .collect();
    }
    #[expect(deprecated, reason = "clients without workspace folders still send it")]
    let root = params.root_uri.as_ref();
    root.and_then(path_of).into_iter().collect()
}

async fn blocking<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(job)
        .await
        .map_err(|_| Error::internal_error())
}
