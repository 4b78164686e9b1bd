// The run view in the panel: live output, then the account and the findings. It gets plain text and puts it into the
// page as text; the page may load its own script and nothing else.

import * as crypto from 'node:crypto';
import * as vscode from 'vscode';
import { Contents } from './contents';
import type { Finished, Happened, RunResult, Started } from './protocol';

const MOST_MESSAGES = 2_000;

export class RunView implements vscode.WebviewViewProvider {
  private view: vscode.WebviewView | undefined;
  private messages: unknown[] = [];
  private ready = false;
  private underWay = new Set<string>();
  private tasks = 0;
  private result: { uri: string; result: RunResult } | undefined;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly contents: Contents,
    private readonly onCount: (count: number) => void,
  ) {}

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    this.ready = false;
    const dist = vscode.Uri.joinPath(this.context.extensionUri, 'dist');
    const media = vscode.Uri.joinPath(this.context.extensionUri, 'media');
    view.webview.options = { enableScripts: true, localResourceRoots: [dist, media] };
    const nonce = crypto.randomBytes(16).toString('hex');
    const script = view.webview.asWebviewUri(vscode.Uri.joinPath(dist, 'run.js'));
    const style = view.webview.asWebviewUri(vscode.Uri.joinPath(media, 'run.css'));
    const source = view.webview.cspSource;
    view.webview.html = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'; form-action 'none'; style-src ${source}; img-src data:; script-src 'nonce-${nonce}';">
<link rel="stylesheet" href="${style}"><title>SafeRun</title></head>
<body><div id="empty">Nothing ran yet. Press Ctrl+Alt+R in a Python file.</div><div id="head" role="status"></div>
<pre id="output" tabindex="0" aria-label="Output"></pre><div id="below"><div id="images"></div><div id="facts"></div><div id="notes"></div><div id="tried"></div><div id="changes"></div><div id="findings"></div></div>
<script nonce="${nonce}" src="${script}"></script></body></html>`;
    view.webview.onDidReceiveMessage((message: { kind?: string; uri?: string; line?: number; column?: number; index?: number }) => {
      if (message.kind === 'ready') {
        this.ready = true;
        for (const old of this.messages) {
          void view.webview.postMessage(old);
        }
      } else if (message.kind === 'go' && typeof message.uri === 'string' && typeof message.line === 'number') {
        const at = new vscode.Position(Math.max(0, message.line - 1), Math.max(0, (message.column ?? 1) - 1));
        void vscode.window.showTextDocument(vscode.Uri.parse(message.uri), { selection: new vscode.Range(at, at) });
      } else if (message.kind === 'diff' && typeof message.index === 'number' && this.result) {
        void this.contents.diff(this.result.uri, this.result.result, message.index);
      } else if (message.kind === 'artifact' && typeof message.index === 'number' && this.result) {
        void this.contents.save(this.result.result, message.index);
      } else if (message.kind === 'cancel') {
        void vscode.commands.executeCommand('saferun.cancelRuns');
      }
    });
    view.onDidDispose(() => {
      this.view = undefined;
      this.ready = false;
    });
  }

  async reveal(): Promise<void> {
    if (this.view) {
      this.view.show(true);
    } else {
      await vscode.commands.executeCommand('saferun.run.focus', { preserveFocus: true });
    }
  }

  // What a program of ours says goes where runs go: to one place that a person looks at.
  task(title: string): { output: (text: string) => void; end: (good: boolean, message: string) => void } {
    const token = `task-${(this.tasks += 1)}`;
    this.messages = [];
    this.post({ kind: 'started', token, uri: '', title, task: true });
    void this.reveal();
    return {
      output: (text) => this.post({ kind: 'event', token, event: { event: 'output', stream: 'stdout', text } }),
      end: (good, message) => this.post({ kind: 'ended', token, good, message }),
    };
  }

  started(params: Started): void {
    this.underWay.add(params.token);
    this.count();
    this.messages = [];
    this.post({ kind: 'started', ...params });
    void this.reveal();
  }

  happened(params: Happened): void {
    this.post({ kind: 'event', ...params });
  }

  finished(params: Finished): void {
    this.underWay.delete(params.token);
    this.count();
    if (params.result) {
      this.result = { uri: params.uri, result: params.result };
    }
    // The name under which the script ran: lines of the trace in it lead to the file.
    this.post({ kind: 'finished', script: scriptName(params.uri), ...params });
  }

  private count(): void {
    void vscode.commands.executeCommand('setContext', 'saferun.running', this.underWay.size > 0);
    this.onCount(this.underWay.size);
  }

  private post(message: unknown): void {
    if (this.messages.length < MOST_MESSAGES) {
      this.messages.push(message);
    }
    if (this.ready) {
      void this.view?.webview.postMessage(message);
    }
  }
}

function scriptName(uri: string): string {
  const name = uri === '' ? '' : (vscode.Uri.parse(uri).path.split('/').pop() ?? '');
  return name.endsWith('.py') ? name : 'main.py';
}
