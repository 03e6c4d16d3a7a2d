import { describe, expect, it } from 'vitest';
import { eventually, hasty, run, Scene } from '../../support/github-scaler.ts';
import { jobPayload, send } from '../../support/github-webhooks.ts';
import { post } from '../../support/ingest.ts';

const mebibyte = 1024 * 1024;

describe('bad input: far too much', () => {
  it('a body of 30 MB is refused unread, and webhooks still count', async (test) => {
    const scene = await Scene.start(test);
    await scene.becomes(0);
    const labels = ['x'.repeat(30 * mebibyte)];
    const large = JSON.stringify(jobPayload('queued', { labels }));
    expect(await send(scene.ingestPort, large)).toMatchObject({ status: 413 });
    const chunked = { 'transfer-encoding': 'chunked' };
    expect(await send(scene.ingestPort, large, { headers: chunked })).toMatchObject({ status: 413 });
    scene.github.startRun('web', run(1));
    await scene.becomes(1);
  });

  it('a flood of large unsigned bodies: honest webhooks get through, other triggers do not change', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        github.addRepo('web');
        github.addOwner('labs', { installationId: 3 });
        github.addRepo('labs/web');
        github.seedRun('labs/web', run(3));
      },
      others: ({ url, app }) => ({
        labs: {
          ...hasty,
          source: 'github',
          owner: 'labs',
          apiUrl: url,
          app: { id: app?.id, privateKeyFile: 'app.pem' },
        },
      }),
      ingest: { maxInflightBytes: 16 * mebibyte },
    });
    const labs = { connection: 'labs' };
    await scene.becomes(0);
    await scene.becomes(3, labs);
    const stream = scene.scaler.client.streamIsActive(scene.trigger(labs));
    expect(await stream.next()).toEqual({ result: true });
    const polling = scene.poll(test, labs);
    const body = Buffer.alloc(4 * mebibyte, 'x');
    const refused: (number | string)[] = [];
    let flooding = true;
    const flood = Array.from({ length: 12 }, async (_, i) => {
      for (let sent = 0; flooding || sent < 3; sent += 1) {
        const path = i % 2 === 0 ? '/ingest/github' : '/ingest/github/ci';
        const sending =
          i % 3 === 0
            ? post(scene.ingestPort, { path, body })
            : send(scene.ingestPort, body, { path, signedWith: 'a guess' });
        // A sender that is refused while it still sends may find the connection gone.
        refused.push(
          await sending.then(
            ({ status }) => status,
            () => 'cut',
          ),
        );
      }
    });
    for (let i = 1; i <= 10; i += 1) {
      scene.github.startRun('web', run(1));
      await scene.becomes(i);
    }
    flooding = false;
    await Promise.all(flood);
    expect(refused.filter((each) => each !== 401 && each !== 429 && each !== 'cut')).toEqual([]);
    expect(refused).toContain(401);
    for (const { id } of scene.github.openJobs('web')) scene.github.complete(id);
    await scene.becomes(0);
    expect(new Set((await polling.stop()).map(({ number }) => number))).toEqual(new Set([3]));
    expect(stream.messages).toEqual([{ result: true }]);
    await eventually(async () =>
      expect(
        await scene.metric('backlog_scaler_ingest_requests_total{kind="github",outcome="refused"}'),
      ).toBeGreaterThan(0),
    );
  });
});
