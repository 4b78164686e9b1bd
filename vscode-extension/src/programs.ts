// Where the programs are: the setting, the extension's own folder, PATH. Never a path of the workspace.

import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';

const SERVER = 'saferun-lsp';

export function serverPath(context: vscode.ExtensionContext): string {
  const set = vscode.workspace.getConfiguration('saferun').inspect<string>('server.path')?.globalValue;
  if (set) {
    return set;
  }
  const bundled = context.asAbsolutePath(path.join('bin', SERVER));
  return fs.existsSync(bundled) ? bundled : SERVER;
}

// saferunctl stands beside the server, else it is looked for on PATH.
export function clientPath(context: vscode.ExtensionContext): string {
  const beside = path.join(path.dirname(serverPath(context)), 'saferunctl');
  return path.isAbsolute(beside) && fs.existsSync(beside) ? beside : 'saferunctl';
}

export function environment(): NodeJS.ProcessEnv {
  const socket = vscode.workspace.getConfiguration('saferun').inspect<string>('socket')?.globalValue;
  return socket ? { ...process.env, SAFERUN_SOCKET: socket } : { ...process.env };
}
