// Suppressing a finding with a reason in free text. Whether a comment may silence it, and where one can stand, is the
// server's to say: what it offers is applied with the person's reason in it, and nothing else is ever written.

import * as vscode from 'vscode';
import type { CodeAction, Command, LanguageClient, TextEdit } from 'vscode-languageclient/node';

const OFFER = /^SafeRun: Suppress (.*) with a reason$/;
// The comment that the server puts in: up to the rule that it names, then a reason of its own.
const COMMENT = /^(\s*# saferun: ignore\[[^\]\n]*\] )[^\n]*\n$/;

interface Offer extends vscode.QuickPickItem {
  uri: string;
  edit: TextEdit;
}

export async function suppress(client: LanguageClient): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (!editor) {
    return;
  }
  const { document } = editor;
  const { version } = document;
  const { range } = document.lineAt(editor.selection.active.line);
  const offers = await offered(client, document, range);
  if (offers.length === 0) {
    void vscode.window.showInformationMessage(whyNot(document, range));
    return;
  }
  const chosen = offers.length > 1 ? await vscode.window.showQuickPick(offers, { title: 'SafeRun: suppress which finding?' }) : offers[0];
  const reason = chosen && (await ask(chosen.label));
  if (!reason) {
    return;
  }
  const edit = { ...chosen.edit, newText: chosen.edit.newText.replace(COMMENT, (_, start: string) => `${start}${reason}\n`) };
  const changes = await client.protocol2CodeConverter.asWorkspaceEdit({ changes: { [chosen.uri]: [edit] } });
  // The place is one of the text that the server saw.
  if (document.version !== version || !(await vscode.workspace.applyEdit(changes))) {
    void vscode.window.showWarningMessage('SafeRun: the text changed meanwhile, so nothing was suppressed. Try again.');
  }
}

async function offered(client: LanguageClient, document: vscode.TextDocument, range: vscode.Range): Promise<Offer[]> {
  const actions = await client.sendRequest<Array<Command | CodeAction> | null>('textDocument/codeAction', {
    textDocument: client.code2ProtocolConverter.asTextDocumentIdentifier(document),
    range: client.code2ProtocolConverter.asRange(range),
    context: { diagnostics: [], only: ['quickfix'] },
  });
  return (actions ?? []).flatMap((action) => {
    const label = OFFER.exec(action.title)?.[1];
    const changes = 'edit' in action ? Object.entries(action.edit?.changes ?? {}) : [];
    const edits = changes.flatMap(([uri, all]) => all.map((edit) => ({ uri, edit })));
    const [one] = edits;
    return label && one && edits.length === 1 && COMMENT.test(one.edit.newText) ? [{ label, ...one }] : [];
  });
}

async function ask(label: string): Promise<string | undefined> {
  const reason = await vscode.window.showInputBox({
    title: `SafeRun: suppress ${label}`,
    prompt: 'Why is this all right? The reason stands in the code.',
    validateInput: (text) => (text.trim() ? undefined : 'A reason is needed'),
  });
  return reason?.trim();
}

function whyNot(document: vscode.TextDocument, range: vscode.Range): string {
  const found = vscode.languages.getDiagnostics(document.uri);
  const here = found.some((one) => one.source === 'SafeRun' && one.range.intersection(range));
  return here
    ? 'SafeRun: the policy ignores comments that suppress, or none can stand above this line.'
    : 'SafeRun: there is no finding on this line.';
}
