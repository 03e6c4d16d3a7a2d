import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { chromium as playwright } from 'playwright-core';
import type { Chromium } from '../support/tools/chromium.ts';

/** A headless browser. */
export function launch({ program, env }: Chromium): Promise<Browser> {
  return playwright.launch({
    executablePath: program,
    env: { ...process.env, ...env },
    // In containers tests run as root, where Chromium's sandbox is not available. It only opens our own pages.
    args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'],
  });
}

/** A page, and everything that went wrong in it: exceptions, violations of its policy, and failed answers. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    ...options,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}
