// Files that a run left or would have changed: shown beside what was there, or saved where a person says. Their names
// were chosen by the code that ran, so none of them becomes a path.

import * as vscode from 'vscode';
import type { RunResult } from './protocol';

const SCHEME = 'saferun-run';
const KEPT = 64;

export class Contents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private readonly registered = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  private last = 0;

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.query) ?? '';
  }

  // The diff editor: on the left what was there, on the right what the run would have made of it.
  async diff(uri: string, result: RunResult, index: number): Promise<void> {
    const change = result.effects?.changes[index];
    if (!change) {
      return;
    }
    const file = vscode.Uri.parse(uri);
    const script = change.place === 'workspace' && file.path.endsWith(`/${change.path}`);
    const before = change.kind !== 'created' && script ? (await vscode.workspace.openTextDocument(file)).getText() : '';
    const after = change.content_base64 === undefined ? '' : Buffer.from(change.content_base64, 'base64').toString('utf8');
    if (change.kind === 'modified' && !script) {
      // What was there before is not known here.
      await vscode.window.showTextDocument(this.add(change.path, after), { preview: true });
      return;
    }
    const title = `${change.path} (the run would have ${change.kind} it)`;
    await vscode.commands.executeCommand('vscode.diff', this.add(change.path, before), this.add(change.path, after), title, { preview: true });
  }

  async save(result: RunResult, index: number): Promise<void> {
    const artifact = result.artifacts?.[index];
    if (artifact?.content_base64 === undefined) {
      return;
    }
    const name = artifact.path.split('/').pop()?.replace(/[^\w.-]/g, '_') || 'artifact';
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    const place = await vscode.window.showSaveDialog({ title: 'Save what the run left', defaultUri: folder && vscode.Uri.joinPath(folder, name) });
    if (place) {
      await vscode.workspace.fs.writeFile(place, Buffer.from(artifact.content_base64, 'base64'));
    }
  }

  private add(path: string, text: string): vscode.Uri {
    const query = String((this.last += 1));
    this.texts.set(query, text);
    const oldest = this.texts.keys().next();
    if (this.texts.size > KEPT && !oldest.done) {
      this.texts.delete(oldest.value);
    }
    return vscode.Uri.from({ scheme: SCHEME, path: `/${path}`, query });
  }

  dispose(): void {
    this.registered.dispose();
  }
}
