// The tree of recorded runs of this user, newest first, whichever program asked. A click opens the account of one.

import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import type { HistoryItem } from './protocol';

function icon(item: HistoryItem): vscode.ThemeIcon {
  if (item.status === null) {
    return new vscode.ThemeIcon('sync');
  }
  if (item.status === 'completed') {
    return item.exitCode === 0
      ? new vscode.ThemeIcon('pass', new vscode.ThemeColor('testing.iconPassed'))
      : new vscode.ThemeIcon('error', new vscode.ThemeColor('testing.iconFailed'));
  }
  return item.status === 'blocked'
    ? new vscode.ThemeIcon('shield', new vscode.ThemeColor('testing.iconErrored'))
    : new vscode.ThemeIcon('warning', new vscode.ThemeColor('testing.iconQueued'));
}

export class History implements vscode.TreeDataProvider<HistoryItem> {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  private hidden = new Set<string>();

  constructor(private readonly client: () => LanguageClient | undefined) {}

  refresh(): void {
    this.changed.fire();
  }

  async clear(): Promise<void> {
    for (const item of await this.all()) {
      this.hidden.add(item.id);
    }
    this.refresh();
  }

  private async all(): Promise<HistoryItem[]> {
    const client = this.client();
    if (!client?.isRunning()) {
      return [];
    }
    return client.sendRequest('workspace/executeCommand', { command: 'saferun.history', arguments: [] });
  }

  async getChildren(parent?: HistoryItem): Promise<HistoryItem[]> {
    return parent ? [] : (await this.all()).filter((item) => !this.hidden.has(item.id));
  }

  getTreeItem(item: HistoryItem): vscode.TreeItem {
    const tree = new vscode.TreeItem(item.name);
    tree.id = item.id;
    const outcome = item.status === null ? 'under way' : `${item.status}${item.exitCode === null ? '' : ` ${item.exitCode}`}`;
    tree.description = `${outcome} · ${item.wallMs.toFixed(0)} ms · ${item.risk}`;
    // A plain string: text that came from a run is no Markdown.
    const when = item.atMs === undefined ? '' : `${new Date(item.atMs).toLocaleString()}, ${item.client ?? ''}\n`;
    tree.tooltip = `${item.message ? `${item.message}\n` : ''}${when}${item.id}`;
    tree.iconPath = icon(item);
    tree.command = { command: 'saferun.openHistoryItem', title: 'Open', arguments: [item] };
    return tree;
  }
}

export async function openItem(client: LanguageClient | undefined, item: HistoryItem): Promise<void> {
  try {
    const made = await client?.sendRequest<{ path: string }>('workspace/executeCommand', { command: 'saferun.account', arguments: [item.id] });
    if (made) {
      await vscode.window.showTextDocument(vscode.Uri.file(made.path), { preview: true });
    }
  } catch (error) {
    void vscode.window.showInformationMessage(`SafeRun: there is no account of this run: ${error instanceof Error ? error.message : String(error)}`);
  }
}
