// Starts the language server and wires it to the views. No telemetry, no network.

import * as vscode from 'vscode';
import { LanguageClient, type LanguageClientOptions, type ServerOptions, type StaticFeature } from 'vscode-languageclient/node';
import { checkPrograms, register } from './commands';
import { Contents } from './contents';
import { History } from './history';
import { environment, serverPath } from './programs';
import type { Finished, Happened, Started } from './protocol';
import { RunView } from './runs';
import { StatusBar } from './status';

let client: LanguageClient | undefined;

// Tells the server that this client knows its notifications, and has it push diagnostics: the client library pulls them
// for documents in tabs of their own only, which leaves out the cells of notebooks.
const ours: StaticFeature = {
  fillClientCapabilities(capabilities) {
    capabilities.experimental = { ...capabilities.experimental, saferun: { events: true, overridePrompt: true } };
    delete capabilities.textDocument?.diagnostic;
  },
  initialize() {},
  getState() {
    return { kind: 'static' };
  },
  clear() {},
};

async function askReason(params: { message: string; reasons: string[] }): Promise<{ reason: string } | null> {
  const own = '$(edit) Another reason…';
  const chosen = await vscode.window.showQuickPick([...params.reasons, own], {
    title: 'SafeRun: run it anyway?',
    placeHolder: params.message,
    ignoreFocusOut: true,
  });
  if (chosen !== own) {
    return chosen ? { reason: chosen } : null;
  }
  const reason = await vscode.window.showInputBox({
    title: 'SafeRun: why should it run?',
    prompt: 'The reason is written into the audit log.',
    ignoreFocusOut: true,
    validateInput: (text) => (text.trim() ? undefined : 'A reason is needed'),
  });
  return reason?.trim() ? { reason: reason.trim() } : null;
}

export async function activate(context: vscode.ExtensionContext): Promise<{ client: () => LanguageClient | undefined }> {
  const current = () => client;
  const status = new StatusBar(current);
  const history = new History(current);
  const contents = new Contents();
  const view = new RunView(context, contents, (count) => status.setRunning(count));

  async function start(): Promise<void> {
    const run: ServerOptions = { command: serverPath(context), args: ['--stdio'], options: { env: environment() } };
    const options: LanguageClientOptions = {
      documentSelector: [
        { language: 'python' },
        { language: 'markdown' },
        { scheme: 'file', pattern: '**/.saferun.yaml' },
        { scheme: 'file', pattern: '**/saferun/policy.yaml' },
      ],
      initializationOptions: vscode.workspace.getConfiguration('saferun'),
      // Text of a run or of code is never rendered as trusted Markdown.
      markdown: { isTrusted: false, supportHtml: false },
    };
    client = new LanguageClient('saferun', 'SafeRun', run, options);
    client.registerFeature(ours);
    client.onNotification('saferun/runStarted', (params: Started) => view.started(params));
    client.onNotification('saferun/runEvent', (params: Happened) => view.happened(params));
    client.onNotification('saferun/runFinished', (params: Finished) => {
      view.finished(params);
      history.refresh();
      if (params.error) {
        void vscode.window.showErrorMessage(`SafeRun: ${params.error}`);
      }
    });
    client.onRequest('saferun/overridePrompt', askReason);
    try {
      await client.start();
    } catch (error) {
      void vscode.window.showErrorMessage(
        `SafeRun: the language server did not start: ${error instanceof Error ? error.message : String(error)}. Set saferun.server.path.`,
      );
    }
    status.soon();
  }

  async function restart(): Promise<void> {
    await client?.stop().catch(() => undefined);
    await start();
  }

  context.subscriptions.push(
    status,
    contents,
    vscode.window.registerTreeDataProvider('saferun.history', history),
    vscode.window.registerWebviewViewProvider('saferun.run', view, { webviewOptions: { retainContextWhenHidden: true } }),
    ...register({ context, client: current, restart, history, view, status }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('saferun.server') || event.affectsConfiguration('saferun.socket')) {
        void restart();
      }
    }),
  );
  checkPrograms(context);
  await start();
  if (!context.globalState.get('saferun.welcomed')) {
    await context.globalState.update('saferun.welcomed', true);
    const pick = vscode.window.showInformationMessage('SafeRun is installed. Take the first steps?', 'First Steps');
    void pick.then((chosen) => chosen && vscode.commands.executeCommand('workbench.action.openWalkthrough', 'saferun.saferun#start'));
  }
  return { client: current };
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}
