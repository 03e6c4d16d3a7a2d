import { describe, expect, it } from 'vitest';
import { tooLow } from '../../support/github-keda.ts';
import { eventually, run, Scene } from '../../support/github-scaler.ts';

/** How long after the first refused request each later one came, in ms. */
function sinceRefused(github: Scene['github'], statusCode: number): number[] {
  const after: number[] = [];
  let refusedAtMs: number | undefined;
  github.observe((exchange) => {
    if (refusedAtMs !== undefined) after.push(performance.now() - refusedAtMs);
    else if (exchange.statusCode === statusCode) refusedAtMs = performance.now();
  });
  return after;
}

describe.concurrent("limits: GitHub's", { timeout: 120_000 }, () => {
  it('403 with retry-after: no request before its end; webhooks count meanwhile, and the rest afterwards', async (test) => {
    const scene = await Scene.start(test);
    const { github } = scene;
    await scene.becomes(0);
    github.startRun('web', run(1));
    await scene.becomes(1);
    const after = sinceRefused(github, 403);
    const polling = scene.poll(test);
    github.faults.secondary({ retryAfterSeconds: 4, times: 1 });
    await eventually(() => expect(github.requests.at(-1)?.status).toBe(403));
    github.startRun('web', run(2));
    await scene.becomes(3);
    github.loseDeliveries(() => true);
    github.startRun('web', run(4));
    await scene.becomes(7);
    expect(Math.min(...after)).toBeGreaterThanOrEqual(4000);
    expect(tooLow(await polling.stop(), 1)).toEqual([]);
  });

  it('a secondary limit without a time: GitHub is left alone, answers continue', async (test) => {
    const scene = await Scene.start(test);
    const { github } = scene;
    await scene.becomes(0);
    github.faults.secondary({ times: 1 });
    await eventually(() => expect(github.requests.at(-1)?.status).toBe(403));
    const asked = github.requests.length;
    for (let i = 1; i <= 20; i += 1) {
      github.startRun('web', run(1));
      await scene.becomes(i);
    }
    expect(github.requests.length).toBe(asked);
  });

  it('the primary limit is used up: no request before its reset, and the number heals afterwards', async (test) => {
    const scene = await Scene.start(test);
    const { github } = scene;
    await scene.becomes(0);
    github.startRun('web', run(2));
    await scene.becomes(2);
    const polling = scene.poll(test);
    github.loseDeliveries(() => true);
    github.startRun('web', run(1));
    const resetAtMs = Date.now() + 4000;
    github.faults.rateLimit({ limit: 5000, remaining: 0, resetSeconds: 4 });
    const askedAtMs: number[] = [];
    let refused = 0;
    github.observe(({ statusCode, path }) => {
      if (statusCode === 403) refused += 1;
      else if (refused > 0 && path.startsWith('/repos')) askedAtMs.push(Date.now());
    });
    await scene.becomes(3);
    // A request under way when the limit was reached may have been answered before it.
    for (const atMs of askedAtMs) expect(atMs).toBeGreaterThanOrEqual(resetAtMs);
    expect(tooLow(await polling.stop(), 2)).toEqual([]);
  });

  it('the limit is used up before the first sync: UNAVAILABLE with the reason until it is done', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        github.addRepo('web');
        github.seedRun('web', run(2));
        github.faults.rateLimit({ limit: 5000, remaining: 0, resetSeconds: 4 });
      },
    });
    const polling = scene.poll(test);
    await scene.becomesUnknown('UNAVAILABLE', {}, /no requests until .* UTC/);
    await scene.becomes(2);
    expect(tooLow(await polling.stop(), 2)).toEqual([]);
  });

  it('an Enterprise Server without limits sends no headers about them, and nothing waits', async (test) => {
    const scene = await Scene.start(test, { github: { prefix: '/api/v3' } });
    await scene.becomes(0);
    scene.github.startRun('web', run(1));
    await scene.becomes(1);
  });
});
