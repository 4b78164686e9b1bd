//! Code actions: run in the sandbox, run with an override, a certain rewrite, suppress with a reason. Pure; findings are
//! matched by the range that was asked for, because not every client sends its diagnostics back as it got them.

use saferun_policy::{ClientKind, DecisionRequest, Verdict};
use saferun_scanner::Finding;
use tower_lsp_server::ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Command, Diagnostic,
    NumberOrString, Range, TextEdit, Uri, WorkspaceEdit,
};

use crate::{
    diagnostics::SCAN,
    document::{Found, Kind},
    policy::Answer,
    position::Encoding,
    rewrite,
    server::{CLEAR, RUN, RUN_OVERRIDE},
    suppress,
};

/// Findings that get actions of their own.
const MOST: usize = 10;
/// The reason that stands in a suppression until the person writes a better one.
const REASON: &str = "reviewed: this is meant";

/// What the answer is made of.
pub(crate) struct Asked<'a> {
    pub(crate) params: &'a CodeActionParams,
    pub(crate) kind: Kind,
    pub(crate) found: Option<&'a Found>,
    pub(crate) marked: bool,
    pub(crate) encoding: Encoding,
    pub(crate) policy: &'a Answer,
}

/// The actions at a range.
pub(crate) fn of(asked: &Asked) -> Vec<CodeActionOrCommand> {
    let mut all = Vec::new();
    let uri = &asked.params.text_document.uri;
    if let Some(found) = asked.found
        && matches!(asked.kind, Kind::Python | Kind::Cell)
        && asked.wants(&CodeActionKind::QUICKFIX)
    {
        for finding in asked.here(found).into_iter().take(MOST) {
            all.extend(asked.rewrites(uri, found, finding));
            all.extend(asked.suppress(uri, found, finding));
        }
    }
    if asked.kind != Kind::Policy(true) && asked.kind != Kind::Policy(false) {
        all.extend(asked.runs(uri));
    }
    if asked.marked {
        all.push(command("Clear the results of runs", CLEAR, uri, None));
    }
    all
}

impl Asked<'_> {
    fn wants(&self, kind: &CodeActionKind) -> bool {
        self.params.context.only.as_ref().is_none_or(|only| {
            only.iter()
                .any(|wanted| kind.as_str().starts_with(wanted.as_str()))
        })
    }

    fn here<'f>(&self, found: &'f Found) -> Vec<&'f Finding> {
        let asked = self.params.range;
        let inside = |finding: &&Finding| {
            let range = found
                .index
                .of_scan(&found.text, finding.range, self.encoding);
            range.start <= asked.end && asked.start <= range.end
        };
        found.report.findings.iter().filter(inside).collect()
    }

    /// The client's own diagnostics of this finding, by code and line.
    fn fixed(&self, finding: &Finding) -> Option<Vec<Diagnostic>> {
        let code = NumberOrString::String(finding.rule.clone());
        let line = finding.range.start.line.saturating_sub(1);
        let ours = self.params.context.diagnostics.iter().filter(|one| {
            one.code.as_ref() == Some(&code)
                && one.range.start.line == line
                && one.source.as_deref().is_none_or(|source| source == SCAN)
        });
        let ours: Vec<Diagnostic> = ours.cloned().collect();
        (!ours.is_empty()).then_some(ours)
    }

    fn rewrites(&self, uri: &Uri, found: &Found, finding: &Finding) -> Option<CodeActionOrCommand> {
        let rewrite = rewrite::of(&found.text, finding)?;
        let edits = rewrite
            .edits
            .into_iter()
            .map(|edit| TextEdit {
                range: found.index.range(&found.text, edit.bytes, self.encoding),
                new_text: edit.text,
            })
            .collect();
        Some(self.edit(uri, finding, &rewrite.title, edits, true))
    }

    fn suppress(&self, uri: &Uri, found: &Found, finding: &Finding) -> Option<CodeActionOrCommand> {
        // Only where the policy lets comments silence anything; else the edit would be a lie.
        let honoured = self
            .policy
            .as_ref()
            .is_ok_and(|policy| policy.honour_suppressions);
        if !honoured {
            return None;
        }
        let line = finding.range.start.line.saturating_sub(1);
        let content = found.index.line(&found.text, line);
        let indent = &content[..content.len() - content.trim_start().len()];
        let at = found.index.start(&found.text, line);
        if !suppress::may_stand(&found.text, at) {
            return None;
        }
        let edit = TextEdit {
            range: found.index.range(&found.text, at..at, self.encoding),
            new_text: format!("{indent}# saferun: ignore[{}] {REASON}\n", finding.rule),
        };
        let title = format!("Suppress {} ({}) with a reason", finding.rule, finding.name);
        Some(self.edit(uri, finding, &title, vec![edit], false))
    }

    fn edit(
        &self,
        uri: &Uri,
        finding: &Finding,
        title: &str,
        edits: Vec<TextEdit>,
        preferred: bool,
    ) -> CodeActionOrCommand {
        let changes = std::collections::HashMap::from([(uri.clone(), edits)]);
        CodeActionOrCommand::CodeAction(CodeAction {
            title: format!("SafeRun: {title}"),
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: self.fixed(finding),
            edit: Some(WorkspaceEdit {
                changes: Some(changes),
                ..WorkspaceEdit::default()
            }),
            is_preferred: Some(preferred),
            ..CodeAction::default()
        })
    }

    fn runs(&self, uri: &Uri) -> Vec<CodeActionOrCommand> {
        let range = self.params.range;
        let selected = (range.start != range.end).then_some(range);
        let mut all = Vec::new();
        if self.kind == Kind::Markdown {
            all.push(command(
                "Run this block in the sandbox",
                RUN,
                uri,
                Some(range),
            ));
        } else {
            if selected.is_some() {
                all.push(command("Run selection in the sandbox", RUN, uri, selected));
            }
            all.push(command("Run in sandbox", RUN, uri, None));
        }
        if self.overridable() {
            let part = if self.kind == Kind::Markdown {
                Some(range)
            } else {
                None
            };
            all.push(command("Run with override…", RUN_OVERRIDE, uri, part));
        }
        all
    }

    /// Whether the policy refuses the file as it stands, and would let it run for a reason.
    fn overridable(&self) -> bool {
        let (Some(found), Ok(policy)) = (self.found, self.policy) else {
            return false;
        };
        let request = DecisionRequest {
            client: ClientKind::Editor,
            gvisor_available: true,
            ..DecisionRequest::default()
        };
        let decision = policy.decide(&found.report, &request);
        decision.verdict == Verdict::NeedsOverride
    }
}

fn command(title: &str, name: &str, uri: &Uri, range: Option<Range>) -> CodeActionOrCommand {
    let mut wish = serde_json::json!({"uri": uri.as_str()});
    if let (Some(range), Some(wish)) = (range, wish.as_object_mut()) {
        wish.insert(
            "range".to_owned(),
            serde_json::to_value(range).unwrap_or_default(),
        );
    }
    CodeActionOrCommand::CodeAction(CodeAction {
        title: format!("SafeRun: {title}"),
        // A kind of its own: "fix all" and "organise" never run code.
        kind: Some(CodeActionKind::new("source.saferun.run")),
        command: Some(Command {
            title: title.to_owned(),
            command: name.to_owned(),
            arguments: Some(vec![wish]),
        }),
        ..CodeAction::default()
    })
}
