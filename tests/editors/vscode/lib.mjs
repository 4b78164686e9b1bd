// What both tests of VS Code share: a Chromium page on VS Code's own server.
import { chromium } from 'playwright-core';
import fs from 'node:fs';

export const began = Date.now();
export const tell = (what) => console.log(`${((Date.now() - began) / 1000).toFixed(2)}s ${what}`);

export async function open(port, folder, more = [], size = { width: 1280, height: 800 }) {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  });
  const page = await (await browser.newContext({ viewport: size })).newPage();
  page.setDefaultTimeout(Number(process.env.STEP_MS ?? 30000));
  const payload = encodeURIComponent(JSON.stringify(more));
  return {
    browser,
    page,
    go: () => page.goto(`http://127.0.0.1:${port}/?folder=${encodeURIComponent(folder)}&payload=${payload}`),
    remote: (path) => `vscode-remote://127.0.0.1:${port}${path}`,
  };
}

export function shooter(page, folder) {
  fs.mkdirSync(folder, { recursive: true });
  return async (name) => {
    await page.waitForTimeout(150);
    await page.screenshot({ path: `${folder}/${name}.png` });
    tell(`shot ${name}`);
  };
}

export async function command(page, name) {
  await page.keyboard.press('F1');
  await page.waitForSelector('.quick-input-widget input:focus');
  await page.keyboard.type(name);
  await page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().click();
}

// The page inside the webview: a frame in a frame.
export async function runView(page) {
  for (let i = 0; i < 300; i++) {
    for (const frame of page.frames()) {
      if (await frame.$('#output').catch(() => null)) return frame;
    }
    await page.waitForTimeout(50);
  }
  throw new Error('no run view');
}
