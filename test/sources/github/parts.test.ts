import { describe, expect, it } from 'vitest';
import { tooLow } from '../../support/github-keda.ts';
import { hasty, run, Scene } from '../../support/github-scaler.ts';

const shortLived = { maxStalenessSeconds: '3' };

describe.concurrent('a repository that stays broken', () => {
  for (const status of [403, 500, 502]) {
    it(`with ${status}: the others count, and it is named once they have nothing`, async (test) => {
      const scene = await Scene.start(test, {
        before: (github) => {
          for (const name of ['web', 'api', 'bad']) github.addRepo(name);
          github.seedRun('web', run(2));
          github.faults.status('/repos/acme/bad/actions', status);
        },
      });
      const { github } = scene;
      await scene.becomes(2, shortLived);
      const polling = scene.poll(test, shortLived);
      await scene.becomes(2, { ...shortLived, repos: 'web,bad' });
      await scene.becomesUnknown('UNAVAILABLE', { ...shortLived, repos: 'bad' }, String(status));
      for (const { id } of github.openJobs('web')) github.complete(id);
      await scene.becomesUnknown('UNAVAILABLE', shortLived, /acme\/bad cannot be read/);
      expect(tooLow(await polling.stop(), 0)).toEqual([]);
      github.faults.clear();
      await scene.becomes(0, shortLived);
    });
  }
});

describe.concurrent('pages that are too large for GitHub', () => {
  it('are requested smaller: runs of a repository, and jobs of a run', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        github.addRepo('web');
        for (let i = 0; i < 110; i += 1) github.seedRun('web', run(1));
        github.addRepo('api');
        github.seedRun('api', run(60));
        github.faults.status(/\/web\/actions\/runs\?.*per_page=100/, 502);
        github.faults.status(/\/api\/actions\/runs\/\d+\/jobs\?.*per_page=(100|50)/, 502);
      },
    });
    await scene.becomes(170);
  });
});

describe.concurrent('an App', () => {
  const clientId = 'Iv23liExample01';
  const app = { id: 1, installationId: 2, clientId };

  for (const id of [clientId, `${clientId}\n`, '1\n']) {
    it(`is taken by ${JSON.stringify(id)}`, async (test) => {
      const scene = await Scene.start(test, {
        github: { app },
        connection: { ...hasty, app: { id, privateKeyFile: 'app.pem' } },
      });
      await scene.becomes(0);
      scene.github.startRun('web', run(1));
      await scene.becomes(1);
    });
  }
});
