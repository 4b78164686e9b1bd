// Runs suite.cjs within the extension host, against the packaged extension: node api.mjs PORT FOLDER SHOTS
import path from 'node:path';
import { open, shooter, tell } from './lib.mjs';

const [port, folder, shots] = process.argv.slice(2);
const work = path.dirname(folder);
const remote = (file) => `vscode-remote://127.0.0.1:${port}${file}`;
const { browser, page, go } = await open(port, folder, [
  ['extensionDevelopmentPath', remote(path.join(work, 'packaged', 'extension'))],
  ['extensionTestsPath', remote(path.join(work, 'suite.js'))],
]);
let ended;
const end = new Promise((resolve) => (ended = resolve));
// VS Code's own logger is a native module, which its package does not bring; what it says of that is of no interest.
await page.exposeFunction('codeAutomationLog', (_, args) => String(args).includes('spdlog') || console.log(...args));
await page.exposeFunction('codeAutomationExit', (code) => ended(code));
await go();
const code = await Promise.race([end, new Promise((resolve) => setTimeout(() => resolve('none in time'), 120000))]);
await shooter(page, shots)('api');
tell(`the tests ended with ${code}`);
await browser.close();
process.exit(code === 0 ? 0 : 1);
