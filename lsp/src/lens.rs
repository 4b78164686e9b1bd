//! Code lenses: the risk of the file with its findings, and a button that runs it. Pure.

use tower_lsp_server::ls_types::{CodeLens, Command, Position, Range, Uri};

use crate::{
    document::{Kind, Open},
    run::fences,
};

/// The lenses of a file.
pub(crate) fn of(uri: &Uri, open: &Open) -> Vec<CodeLens> {
    match open.kind {
        Kind::Policy(_) => Vec::new(),
        Kind::Python | Kind::Cell => {
            let at = Range::new(Position::new(0, 0), Position::new(0, 0));
            let mut lenses = vec![run(uri, at, None)];
            lenses.push(risk(open, at));
            lenses
        }
        Kind::Markdown => fences(&open.text)
            .into_iter()
            .take(200)
            .map(|fence| {
                let at = Position::new(fence.first.saturating_sub(1), 0);
                let inside = Position::new(fence.first, 0);
                run(uri, Range::new(at, at), Some(Range::new(inside, inside)))
            })
            .collect(),
    }
}

fn run(uri: &Uri, at: Range, range: Option<Range>) -> CodeLens {
    let mut wish = serde_json::json!({"uri": uri.as_str()});
    if let (Some(range), Some(wish)) = (range, wish.as_object_mut()) {
        wish.insert(
            "range".to_owned(),
            serde_json::to_value(range).unwrap_or_default(),
        );
    }
    CodeLens {
        range: at,
        command: Some(Command {
            title: "▶ Run in sandbox".to_owned(),
            command: crate::server::RUN.to_owned(),
            arguments: Some(vec![wish]),
        }),
        data: None,
    }
}

fn risk(open: &Open, at: Range) -> CodeLens {
    let title = match open.current() {
        None => "risk: scanning…".to_owned(),
        Some(found) => {
            let count = found.report.findings.len();
            let plural = if count == 1 { "" } else { "s" };
            let suppressed = match found.report.suppressed.len() {
                0 => String::new(),
                silent => format!(", {silent} suppressed"),
            };
            format!(
                "risk: {} ({count} finding{plural}{suppressed})",
                found.risk()
            )
        }
    };
    CodeLens {
        range: at,
        // A title that does nothing when it is clicked.
        command: Some(Command {
            title,
            command: String::new(),
            arguments: None,
        }),
        data: None,
    }
}
