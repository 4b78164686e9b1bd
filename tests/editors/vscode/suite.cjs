// Tests within the extension host, with the real `vscode` module, in a workspace that is not trusted.
const assert = require('node:assert');
const vscode = require('vscode');

const folder = () => vscode.workspace.workspaceFolders[0].uri;
const file = (name) => vscode.Uri.joinPath(folder(), name);

async function until(what, condition) {
  for (let i = 0; i < 600; i++) {
    const got = await condition();
    if (got) return got;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} within 30 s`);
}

async function write(name, text) {
  await vscode.workspace.fs.writeFile(file(name), Buffer.from(text));
  const document = await vscode.workspace.openTextDocument(file(name));
  await vscode.window.showTextDocument(document);
  return document;
}

const found = (uri, condition) =>
  until('diagnostics', () => vscode.languages.getDiagnostics(uri).find((one) => condition(one)));

async function suite(client) {
  const execute = (command, ...args) => client().sendRequest('workspace/executeCommand', { command, arguments: args });
  const runs = () => execute('saferun.history');
  const ended = async (name, count) =>
    until(`run of ${name}`, async () => {
      const all = (await runs()).filter((run) => run.name === name && run.status);
      return all.length >= count && all[0];
    });

  return {
    async 'an untrusted workspace names no program and no socket'() {
      assert.strictEqual(vscode.workspace.isTrusted, false);
      const settings = vscode.workspace.getConfiguration('saferun');
      assert.match(settings.get('server.path'), /saferun-lsp$/);
      assert.notStrictEqual(settings.get('socket'), '/nowhere');
      assert.strictEqual(settings.get('startDaemon'), true);
      assert.ok(client().isRunning());
    },
    async 'every command of the manifest is there'() {
      const manifest = vscode.extensions.getExtension('saferun.saferun').packageJSON;
      const known = new Set(await vscode.commands.getCommands(true));
      const missing = manifest.contributes.commands.map((one) => one.command).filter((one) => !known.has(one));
      assert.deepStrictEqual(missing, []);
    },
    async 'findings, an untrusted hover, and a rewrite'() {
      const { uri } = await write('api.py', 'import yaml\nyaml.load(open("x"))\n');
      const one = await found(uri, (d) => d.code?.value === 'SR631');
      assert.strictEqual(one.source, 'SafeRun');
      const hovers = await vscode.commands.executeCommand('vscode.executeHoverProvider', uri, one.range.start);
      const hover = hovers.flatMap((h) => h.contents).find((c) => c.value?.includes('**Policy:**'));
      assert.ok(hover && !hover.isTrusted && !hover.supportHtml);
      const actions = await vscode.commands.executeCommand('vscode.executeCodeActionProvider', uri, one.range);
      const fix = actions.find((a) => a.title.includes('safe_load'));
      assert.ok(await vscode.workspace.applyEdit(fix.edit));
      const document = await vscode.workspace.openTextDocument(uri);
      assert.match(document.getText(), /safe_load/);
      await until('no finding', () => !vscode.languages.getDiagnostics(uri).some((d) => d.code?.value === 'SR631'));
    },
    async 'a run in a container, its mark, its account'() {
      const { uri } = await write('raises.py', 'print("hello")\nraise KeyError("gone")\n');
      await vscode.commands.executeCommand('saferun.runFile');
      const mark = await found(uri, (d) => d.source === 'SafeRun run');
      assert.deepStrictEqual([mark.range.start.line, mark.message], [1, "KeyError: 'gone'"]);
      const run = await ended('raises.py', 1);
      assert.deepStrictEqual([run.status, run.exitCode], ['completed', 1]);
      await vscode.commands.executeCommand('saferun.openHistoryItem', run);
      await until('the account', () => vscode.window.activeTextEditor?.document.getText().includes('hello'));
      await vscode.commands.executeCommand('saferun.clearFileResults');
    },
    async 'an override asks for a reason'() {
      await write('harm.py', 'import shutil\nshutil.rmtree("/home")\n');
      const asked = vscode.commands.executeCommand('saferun.runFileWithOverride');
      await asked;
      const run = await until('an overridden run', async () => {
        // The first of the reasons that the prompt offers.
        await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
        return (await runs()).find((one) => one.name === 'harm.py' && one.status === 'completed');
      });
      assert.strictEqual(run.risk, 'BLOCKED');
    },
    async 'a cell of a notebook'() {
      const cell = (text) => new vscode.NotebookCellData(vscode.NotebookCellKind.Code, text, 'python');
      const data = new vscode.NotebookData([cell('x = 6 * 7'), cell('import os\nos.system("id " + input())')]);
      const notebook = await vscode.workspace.openNotebookDocument('jupyter-notebook', data);
      await vscode.window.showNotebookDocument(notebook);
      const uri = notebook.cellAt(1).document.uri;
      await found(uri, (d) => d.source === 'SafeRun' && d.range.start.line === 1);
      const before = (await runs()).length;
      await vscode.commands.executeCommand('saferun.runCell', notebook.cellAt(0));
      const run = await until('a run of the cell', async () => {
        const all = await runs();
        return all.length > before && all[0].status && all[0];
      });
      assert.deepStrictEqual([run.status, run.exitCode], ['completed', 0]);
    },
  };
}

exports.run = async () => {
  const extension = vscode.extensions.getExtension('saferun.saferun');
  const { client } = await extension.activate();
  await until('no language server', () => client()?.isRunning());
  let failed = 0;
  const all = Object.entries(await suite(client));
  for (const [name, test] of all) {
    try {
      await test();
      console.log(`ok   ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}: ${error.stack}`);
    }
  }
  console.log(`${all.length - failed} passed, ${failed} failed`);
  if (failed > 0) throw new Error(`${failed} failed`);
};
