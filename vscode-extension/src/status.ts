// The status bar: the risk of the file in front, whether the daemon runs, what runs now.

import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import type { Status } from './protocol';

const EVERY = 10_000;

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('saferun.status', vscode.StatusBarAlignment.Left, 50);
  private readonly parts: vscode.Disposable[] = [this.item];
  private running = 0;
  private pending: NodeJS.Timeout | undefined;

  constructor(private readonly client: () => LanguageClient | undefined) {
    this.item.name = 'SafeRun';
    this.item.command = 'saferun.showStatus';
    this.item.text = '$(shield) SafeRun';
    this.item.show();
    const timer = setInterval(() => this.soon(), EVERY);
    this.parts.push(
      { dispose: () => clearInterval(timer) },
      vscode.window.onDidChangeActiveTextEditor(() => this.soon()),
      vscode.languages.onDidChangeDiagnostics(() => this.soon()),
    );
    this.soon();
  }

  setRunning(count: number): void {
    this.running = count;
    this.soon();
  }

  soon(): void {
    this.pending ??= setTimeout(() => {
      this.pending = undefined;
      void this.update();
    }, 150);
  }

  async ask(): Promise<Status | undefined> {
    const client = this.client();
    if (!client?.isRunning()) {
      return undefined;
    }
    const uri = vscode.window.activeTextEditor?.document.uri.toString();
    return client
      .sendRequest<Status>('workspace/executeCommand', { command: 'saferun.status', arguments: uri ? [uri] : [] })
      .catch(() => undefined);
  }

  private async update(): Promise<void> {
    const status = await this.ask();
    if (!status) {
      this.item.text = '$(shield) SafeRun: off';
      this.item.tooltip = 'The language server does not run. Click to see more.';
      return;
    }
    const risk = status.file ? ` ${status.file.risk}` : '';
    const spin = this.running > 0 ? ' $(sync~spin)' : '';
    const mistakes = status.daemon?.policy?.problems ?? [];
    const warning = mistakes.length > 0 ? ' $(warning)' : '';
    this.item.text = `$(shield)${risk || ' SafeRun'}${spin}${warning}`;
    const severe = status.file?.risk === 'BLOCKED' || status.file?.risk === 'HIGH';
    this.item.backgroundColor = severe ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    const file = status.file ? `This file: ${status.file.risk}, ${status.file.findings} findings` : 'No Python file in front';
    const daemon = status.daemon
      ? `Daemon runs, policy ${status.daemon.policy?.name ?? 'default'}, ${warm(status)} warm`
      : 'No daemon runs; the first run starts it';
    const policy = mistakes.map((mistake) => `\nThe policy file has a mistake and is not in force: ${mistake}`).join('');
    this.item.tooltip = `SafeRun\n${file}\n${daemon}${policy}`;
  }

  dispose(): void {
    clearTimeout(this.pending);
    for (const part of this.parts) {
      part.dispose();
    }
  }
}

export function warm(status: Status): number {
  return (status.daemon?.pools ?? []).reduce((sum, pool) => sum + (pool.warm ?? 0), 0);
}
