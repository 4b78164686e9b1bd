//! Scans open files on blocking threads: at most one scan of a file at a time, at most as many as there are cores, the
//! newest text wins, and a change stops the scan of what was there before.

use std::{sync::Arc, time::Duration};

use saferun_policy::{LayerKind, Source, check};
use saferun_scanner::{Document, Options, Report, extract::scan_bytes};
use tower_lsp_server::ls_types::{MessageType, Uri};

use crate::{
    document::{Found, Kind, MAX_BYTES, Work},
    notebook,
    position::LineIndex,
    state::Shared,
};

/// How long nobody types until a text with errors is parsed as a whole.
const PAUSE: Duration = Duration::from_millis(80);

/// What came of a scan.
#[derive(Debug)]
struct Done {
    tree: Option<Document>,
    found: Option<Found>,
}

/// Sees to it that the newest text of a file is scanned. Returns at once.
pub(crate) fn wake(shared: &Arc<Shared>, uri: &Uri) {
    let of_notebook = shared.with_open(uri, |open| open.notebook.clone());
    if let Some(Some(id)) = of_notebook {
        return notebook::wake(shared, &id);
    }
    let start = shared.with_open(uri, |open| !std::mem::replace(&mut open.busy, true));
    if start == Some(true) {
        tokio::spawn(work_through(Arc::clone(shared), uri.clone()));
    }
}

/// What a scan has to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    /// The first findings in this version.
    New(i32),
    /// Others than were told of this version.
    Correction(i32),
}

/// Looks at a text with errors again once nobody types, with a tree that does not depend on how it was typed.
async fn settle_later(shared: Arc<Shared>, uri: Uri, version: i32) {
    tokio::time::sleep(PAUSE).await;
    if shared.with_open(&uri, |open| open.settle(version)) == Some(true) {
        wake(&shared, &uri);
    }
}

async fn work_through(shared: Arc<Shared>, uri: Uri) {
    loop {
        // The worker ends in the same breath in which it sees that there is nothing to do.
        let work = shared.with_open(&uri, |open| {
            let work = open.take_work();
            open.busy = work.is_some();
            work
        });
        let Some(Some(work)) = work else {
            return;
        };
        let incremental = work.base.is_some();
        let policies = Arc::clone(&shared);
        let file = uri.clone();
        let name = uri.path().as_str().to_owned();
        let Ok(permit) = Arc::clone(&shared.scans).acquire_owned().await else {
            return;
        };
        let job = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let honour = policies
                .policy_of(&file)
                .is_ok_and(|policy| policy.honour_suppressions);
            saferun_guard::on_a_thread(move || scan(work, &name, honour))
        });
        // A panic of the scanner is a scan without a result: the next edit tries again.
        let done = match job.await {
            Ok(Ok(done)) => done,
            Ok(Err(message)) => {
                tell_of_crash(&shared, &uri, &message);
                Done {
                    tree: None,
                    found: None,
                }
            }
            // The server ends.
            Err(_) => Done {
                tree: None,
                found: None,
            },
        };
        let done_without_tree = done.tree.is_none();
        let rough = done.tree.as_ref().is_some_and(Document::is_rough);
        let found = done.found.map(Arc::new);
        let told = shared.with_open(&uri, |open| {
            if open.pending.is_some() && done.tree.is_some() {
                open.tree = done.tree;
            } else {
                // Edits that did not fit the tree: once more, from the whole text.
                open.stale |= incremental && done_without_tree;
                open.pending = None;
            }
            let version = found.as_ref().map(|found| found.version);
            if version != Some(open.version) {
                return Told::Nothing;
            }
            // A second look at the same text, because of its errors, is worth a word only if it saw something else.
            let before = open.current().map(|found| &found.report.findings);
            let again = before.is_some();
            let same = before == found.as_ref().map(|found| &found.report.findings);
            open.found = found;
            match (same, again) {
                (true, _) => Told::Nothing,
                (false, true) => Told::Correction(open.version),
                (false, false) => Told::New(open.version),
            }
        });
        let told = told.unwrap_or(Told::Nothing);
        if told != Told::Nothing {
            shared.found(&uri).await;
        }
        if matches!(told, Told::Correction(_)) {
            shared.refresh();
        }
        if let (Told::New(version), true) = (told, rough) {
            tokio::spawn(settle_later(Arc::clone(&shared), uri.clone(), version));
        }
    }
}

/// Tells the client's log. Does not wait for it.
pub(crate) fn tell_of_crash(shared: &Arc<Shared>, uri: &Uri, message: &str) {
    let (client, file) = (shared.client.clone(), uri.as_str().to_owned());
    let what = format!(
        "the scanner crashed on {file}, which is a bug: nothing of this text is judged ({message})"
    );
    tokio::spawn(async move { client.log_message(MessageType::ERROR, what).await });
}

fn scan(work: Work, name: &str, honour_suppressions: bool) -> Done {
    let options = Options {
        honour_suppressions,
        ..Options::default()
    };
    let found = |text: &str, report: Report, policy| Found {
        version: work.version,
        text: Arc::from(text),
        index: LineIndex::new(text),
        report,
        policy,
        unscanned: false,
    };
    let too_large = work
        .text
        .as_ref()
        .is_some_and(|text| text.len() > MAX_BYTES);
    match work.kind {
        _ if too_large => Done {
            tree: None,
            found: Some(Found {
                unscanned: true,
                ..found("", Report::default(), Vec::new())
            }),
        },
        // Cells are scanned with their notebook.
        Kind::Python | Kind::Cell => {
            let Some(mut tree) = tree(work.base, work.edits, work.text, &options) else {
                return Done {
                    tree: None,
                    found: None,
                };
            };
            if work.settle && !tree.settle_unless(&work.cancel) {
                return Done {
                    tree: Some(tree),
                    found: None,
                };
            }
            let report = tree.report_unless(&work.cancel);
            let found = report.map(|report| found(tree.text(), report, Vec::new()));
            Done {
                tree: Some(tree),
                found,
            }
        }
        Kind::Markdown => {
            let text = work.text.unwrap_or_default();
            let file = scan_bytes("text.md", text.as_bytes(), &options);
            Done {
                tree: None,
                found: Some(found(&text, file.report, Vec::new())),
            }
        }
        Kind::Policy(project) => {
            let text = work.text.unwrap_or_default();
            let layer = if project {
                LayerKind::Project
            } else {
                LayerKind::User
            };
            let source = Source::yaml(layer, name, text.clone());
            let wrong = check(&source);
            Done {
                tree: None,
                found: Some(found(&text, Report::default(), wrong)),
            }
        }
    }
}

/// The tree of the newest text: the old one with the edits, else a new one.
fn tree(
    base: Option<Document>,
    edits: Vec<(std::ops::Range<usize>, String)>,
    text: Option<String>,
    options: &Options,
) -> Option<Document> {
    if let Some(text) = text {
        return Some(Document::new(text, options.clone()));
    }
    let mut tree = base?;
    for (range, new) in edits {
        tree.apply_edit_roughly(range, &new).ok()?;
    }
    // The policy may have changed since the tree was made.
    tree.set_options(options.clone());
    Some(tree)
}
