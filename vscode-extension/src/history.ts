// The tree of runs of this window, newest first. A click opens the account of one.

import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import type { HistoryItem } from './protocol';

function icon(item: HistoryItem): vscode.ThemeIcon {
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
    tree.description = `${item.status}${item.exitCode === null ? '' : ` ${item.exitCode}`} · ${item.wallMs.toFixed(0)} ms · ${item.risk}`;
    // A plain string: text that came from a run is no Markdown.
    tree.tooltip = `${item.message}\n${item.id}`;
    tree.iconPath = icon(item);
    tree.command = { command: 'saferun.openHistoryItem', title: 'Open', arguments: [item] };
    return tree;
  }
}

export async function openItem(item: HistoryItem): Promise<void> {
  if (!item.report) {
    void vscode.window.showInformationMessage('SafeRun: the account of this run is not kept any more.');
    return;
  }
  try {
    await vscode.window.showTextDocument(vscode.Uri.file(item.report), { preview: true });
  } catch {
    void vscode.window.showInformationMessage('SafeRun: the account of this run is not kept any more.');
  }
}
