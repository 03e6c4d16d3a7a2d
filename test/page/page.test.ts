import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { useTools } from '../support/tools/use-tool.ts';
import { launch, openPage } from './browser.ts';
import { Scene, summaryOf } from './scene.ts';

const tools = useTools('chromium');
const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
let browser: Browser | undefined;
const scenes: Scene[] = [];

afterEach(async () => {
  for (const context of browser?.contexts() ?? []) await context.close();
  await Promise.all(scenes.splice(0).map((scene) => scene.stop()));
});
afterAll(() => browser?.close());

function sceneOf(count: number): Scene {
  const scene = new Scene();
  scenes.push(scene);
  for (let n = 0; n < count; n += 1) scene.summaries.set(`id-${n}`, summaryOf(n));
  scene.connections = [
    {
      name: 'orders',
      source: 'kafka',
      subjects: 3,
      requestsPerMinute: 120,
      remaining: 4_000,
      granted: 5_000,
    },
  ];
  return scene;
}

async function open(url: string, options: Parameters<typeof openPage>[2] = {}) {
  browser ??= await launch(tools('chromium'));
  return openPage(browser, url, options);
}

const names = (page: Page): Promise<string[]> =>
  page
    .locator('.rows .row:visible')
    .evaluateAll((rows) =>
      rows
        .toSorted((a, b) => Number(a.getAttribute('aria-rowindex')) - Number(b.getAttribute('aria-rowindex')))
        .map((row) => row.querySelector('a')?.textContent ?? ''),
    );
const rowOf = (page: Page, name: string) =>
  page.locator('.rows .row:visible').filter({ has: page.getByRole('link', { name, exact: true }) });

describe('the list', () => {
  it('shows every trigger and connection, and each change at once', async () => {
    const scene = sceneOf(5);
    scene.change('id-3', { error: 'the broker cannot be reached', up: false });
    const { page, complaints } = await open(await scene.start());
    await rowOf(page, 'worker-2').waitFor();
    expect(await rowOf(page, 'worker-2').innerText()).toMatch(
      /team-2\s+kafka\s+orders\s+2\s+2 \/ 10\s+1\s+Active/,
    );
    expect(await rowOf(page, 'worker-3').innerText()).toContain('Failing');
    expect(await page.locator('.place').innerText()).toMatch(/orders\s+kafka\s+1 failing · 5 triggers/);
    expect(await page.locator('.place').innerText()).toMatch(/2 requests\/s[\s\S]*4,000 left/);
    scene.change('id-2', {
      items: 1_234,
      value: 1_234,
      desired: 124,
      lastWake: { cause: 'watch', ageMs: 0 },
    });
    scene.summaries.set('id-9', summaryOf(9));
    scene.summaries.delete('id-4');
    await expect.poll(() => rowOf(page, 'worker-2').innerText()).toMatch(/1,234\s+1,234 \/ 10\s+124/);
    await expect.poll(() => rowOf(page, 'worker-2').innerText()).toContain('watch');
    await expect
      .poll(() => names(page))
      .toEqual(['worker-3', 'worker-1', 'worker-2', 'worker-9', 'worker-0']);
    expect(complaints).toEqual([]);
  });

  it('is searched, filtered and sorted, and its address reflects that', async () => {
    const scene = sceneOf(60);
    const { page } = await open(await scene.start());
    await page.getByRole('searchbox').fill('worker-1 kafka');
    await expect.poll(() => names(page)).toHaveLength(11);
    await page.getByLabel('Namespace').selectOption('team-13');
    await expect.poll(() => names(page)).toEqual(['worker-13']);
    await page.getByRole('searchbox').fill('');
    await page.getByLabel('Namespace').selectOption('');
    await page.getByRole('button', { name: 'Idle' }).click();
    await expect.poll(() => names(page)).toEqual(['worker-0']);
    await page.getByRole('button', { name: 'All' }).click();
    await page.getByRole('button', { name: 'Backlog' }).click();
    await expect.poll(async () => (await names(page))[0]).toBe('worker-59');
    expect(await page.getByRole('columnheader', { name: 'Backlog' }).getAttribute('aria-sort')).toBe(
      'descending',
    );
    await page.getByRole('button', { name: 'Backlog' }).click();
    await expect.poll(async () => (await names(page))[0]).toBe('worker-0');
    expect(new URL(page.url()).hash).toBe('#/?sort=backlog');
    await page.reload();
    await expect.poll(async () => (await names(page)).slice(0, 2)).toEqual(['worker-0', 'worker-1']);
  });

  it('can be used by keyboard', async () => {
    const scene = sceneOf(200);
    const { page } = await open(`${await scene.start()}#/?sort=name`);
    await rowOf(page, 'worker-0').waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
    await page.keyboard.press('/');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('search');
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toBe('worker-0');
    await page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toBe('worker-0');
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toBe('worker-1');
    await page.keyboard.press('End');
    expect(await focused()).toBe('worker-99');
    await page.keyboard.press('ArrowUp');
    expect(await focused()).toBe('worker-98');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'team-18/worker-98' }).waitFor();
    await page.keyboard.press('Escape');
    await rowOf(page, 'worker-1').waitFor();
  });

  it('shows foreign texts as text', async () => {
    const scene = sceneOf(0);
    const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>"\'&\u202egpj';
    const id = 'evil/../?#';
    const summary = summaryOf(1, { id, name: evil, namespace: evil, metricName: evil, error: evil });
    scene.add({ summary, itemsAt: () => 1 });
    scene.connections = [{ name: evil, source: evil, subjects: 1, requestsPerMinute: 1 }];
    scene.explain = evil;
    const { page, complaints } = await open(await scene.start());
    await rowOf(page, evil).waitFor();
    await page.locator('.rows a').first().click();
    await expect.poll(() => page.locator('pre').textContent()).toBe(evil);
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(await page.title()).toContain('<img');
    expect(complaints).toEqual([]);
  });
});

describe('ten thousand triggers', () => {
  it('are all there with few elements, and no task blocks the page for long', async () => {
    const scene = sceneOf(10_000);
    const url = await scene.start();
    const { page } = await open('about:blank');
    await page.addInitScript(() => {
      const longest = { ms: 0 };
      Object.assign(globalThis, { longest });
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longest.ms = Math.max(longest.ms, duration);
      }).observe({ type: 'longtask', buffered: true });
    });
    await page.goto(`${url}#/?sort=name`);
    await expect.poll(() => page.locator('.count').textContent()).toBe('10,000');
    expect(await page.locator('.rows .row').count()).toBeLessThan(60);
    expect(await page.getByRole('table').getAttribute('aria-rowcount')).toBe('10001');
    await page.getByRole('searchbox').fill('worker-99');
    await expect.poll(() => page.locator('.count').textContent()).toBe('111 of 10,000');
    await page.getByRole('searchbox').fill('');
    await page.locator('.rows').focus();
    await page.keyboard.press('End');
    await expect.poll(async () => (await names(page)).at(-1)).toBe('worker-9999');
    for (let n = 0; n < 10_000; n += 1) scene.change(`id-${n}`, { items: 500 + n });
    await expect.poll(() => rowOf(page, 'worker-9999').innerText()).toContain('10,499');
    const longestMs = await page.evaluate(() =>
      Number(Reflect.get(Reflect.get(globalThis, 'longest'), 'ms')),
    );
    console.info(`the longest task of the page took ${Math.round(longestMs)} ms`);
  });
});

describe('a trigger', () => {
  it('shows its numbers, its past and the reasons', async () => {
    const scene = sceneOf(0);
    scene.add({ summary: summaryOf(1), itemsAt: (minute) => (minute > 90 ? (minute - 90) * 10 : 0) });
    const { page, complaints } = await open(`${await scene.start()}#/triggers/id-1`);
    await page.getByRole('heading', { name: 'team-1/worker-1' }).waitFor();
    await page.locator('.uplot canvas').waitFor();
    await expect
      .poll(() => page.locator('figcaption').textContent())
      .toBe('Backlog between 0 and 300, now 300; replicas asked for between 0 and 30, now 30.');
    expect(await page.locator('pre').textContent()).toContain('source: kafka');
    await expect
      .poll(() => page.locator('.scroll tbody tr').first().innerText())
      .toMatch(/activated\s+watch/);
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download CSV' }).click();
    expect((await downloading).suggestedFilename()).toBe('team-1-worker-1.csv');
    await page.getByRole('button', { name: '15 min' }).click();
    await expect
      .poll(() => page.locator('figcaption').textContent())
      .toContain('Backlog between 150 and 300');
    expect(complaints).toEqual([]);
  });

  it('says when it is gone', async () => {
    const { page } = await open(`${await sceneOf(0).start()}#/triggers/nobody`);
    await expect.poll(() => page.locator('.problem').textContent()).toContain('not live any more');
  });
});

describe('a token', () => {
  it('is requested, kept in the tab, and requested again when it changes', async () => {
    let token = 'the-first-token';
    const { page } = await open(await sceneOf(3).start({ token: () => token }));
    const field = page.getByLabel('Bearer token');
    await field.fill('wrong');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByText('That is not the token.').waitFor();
    expect(await names(page)).toEqual([]);
    await field.fill(token);
    await page.getByRole('button', { name: 'Show' }).click();
    await rowOf(page, 'worker-2').waitFor();
    await page.reload();
    await rowOf(page, 'worker-2').waitFor();
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(token);
    token = 'the-second-token';
    await field.fill(token);
    await page.getByRole('button', { name: 'Show' }).click();
    await expect.poll(() => page.locator('#link').getAttribute('data-state')).toBe('live');
  });
});

describe.each(['light', 'dark'] as const)('in %s colours', (colorScheme) => {
  it.each([
    ['the list', '#/', '.rows a'],
    ['a trigger', '#/triggers/id-1', '.uplot canvas'],
  ])('%s has no fault by axe', async (_, hash, there) => {
    const scene = sceneOf(30);
    scene.add({ summary: summaryOf(1), itemsAt: (minute) => minute });
    scene.change('id-3', { error: 'the broker cannot be reached', up: false });
    const { page } = await open(`${await scene.start()}${hash}`, { colorScheme, bypassCSP: true });
    await page.locator(there).first().waitFor();
    await page.waitForTimeout(300);
    await page.addScriptTag({ path: axeFile });
    const faults = await page.evaluate(async () => {
      // axe puts itself there.
      const axe = Reflect.get(globalThis, 'axe');
      const { violations } = await axe.run(document);
      return violations.map((one: { id: string; nodes: { html: string }[] }) => [
        one.id,
        one.nodes.map(({ html }) => html),
      ]);
    });
    expect(faults).toEqual([]);
  });
});

describe('the page', () => {
  it('loads only what its own port serves', async () => {
    const response = await fetch(await sceneOf(0).start());
    const policy = response.headers.get('content-security-policy');
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await response.text()).not.toMatch(/https?:|<style|\sstyle=|<script>|\son\w+=/);
  });
});
