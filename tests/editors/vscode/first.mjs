// The first time: an empty VS Code with the packaged extension and nothing open. The walkthrough alone leads to a run.
// node first.mjs PORT FOLDER SHOTS
import { open, runView, shooter, tell } from './lib.mjs';

const [port, folder, shots] = process.argv.slice(2);
const { browser, page, go } = await open(port, folder);
const shot = shooter(page, shots);
try {
  await go();
  await page.waitForSelector('.monaco-workbench');
  const steps = page.locator('.notification-toast .monaco-button', { hasText: 'First Steps' });
  await steps.waitFor();
  await shot('first-1-installed');
  await steps.click();
  await page.waitForSelector('.getting-started-step:has-text("Check this machine")');
  await shot('first-2-walkthrough');
  await page.locator('.monaco-button, .button-link', { hasText: 'Check This Machine' }).first().click();
  const view = await runView(page);
  await view.waitForSelector('#head.good:has-text("saferunctl doctor")');
  await shot('first-3-doctor');
  await page.locator('.getting-started-step', { hasText: 'Build the sandbox image' }).first().click();
  await page.locator('.monaco-button, .button-link', { hasText: 'Build the Sandbox Image' }).first().click();
  await view.waitForSelector('#head.good:has-text("saferunctl image build")', { timeout: 90000 });
  await shot('first-4-image');
  await page.locator('.getting-started-step', { hasText: 'Run your first script' }).first().click();
  await shot('first-5-run-step');
  await page.locator('.monaco-button, .button-link', { hasText: 'Try an Example' }).first().click();
  await page.waitForSelector('.monaco-editor .view-line:has-text("said the model")');
  tell('example open');
  const lens = page.locator('.codelens-decoration a', { hasText: 'Run in sandbox' });
  await lens.waitFor();
  await shot('first-6-example');
  await lens.click();
  await view.waitForSelector('#head.good:not(:has-text("saferunctl"))');
  await view.waitForSelector('#output:has-text("Hello from the sandbox")');
  await shot('first-7-result');
  console.log('1 passed, 0 failed');
} catch (error) {
  console.log('FAIL', error.message);
  await shot('first-fail');
  process.exitCode = 1;
}
await browser.close();
