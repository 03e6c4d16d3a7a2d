import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { useTools } from '../support/tools/use-tool.ts';
import { launch, openPage } from './browser.ts';

const tools = useTools('chromium');

it('the demo prints the address of a page that shows the numbers of the terminal', async () => {
  const demo = spawn(process.execPath, ['demo/main.ts', '--story', 'surge', '--keep'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => demo.once('exit', resolve));
  let said = '';
  demo.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const browser = await launch(tools('chromium'));
  try {
    await expect.poll(() => said).toMatch(/Its status page: http\S+/);
    const [, url = ''] = /Its status page: (\S+)/.exec(said) ?? [];
    const { page, complaints } = await openPage(browser, url);
    await expect.poll(() => said).toMatch(/burst: \d+ orders/);
    const [, orders = '', perReplica = '', replicas = ''] =
      /burst: (\d+) orders, and then a hint: (\d+) a replica make (\d+) replicas/.exec(said) ?? [];
    for (const row of [0, 1]) {
      const text = () => page.locator('.rows .row:visible').nth(row).innerText();
      await expect
        .poll(text)
        .toMatch(new RegExp(`\\b${orders}\\s+${orders} / ${perReplica}\\s+${replicas}\\s+Active`));
    }
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
    demo.kill('SIGINT');
    await exited;
  }
});
