import { describe, expect, it } from 'vitest';
import { hasty, run, Scene } from '../../support/github-scaler.ts';

const prefix = '/api/v3';

describe.concurrent('GitHub Enterprise Server', () => {
  it('is read below /api/v3 only, and followed', async (test) => {
    const scene = await Scene.start(test, {
      github: { prefix },
      before: (github) => {
        github.addRepo('web');
        // 110 runs. The next page is where `Link` points.
        for (let i = 0; i < 110; i += 1) github.seedRun('web', run(1));
      },
    });
    const { github } = scene;
    await scene.becomes(110);
    expect(github.requests.filter(({ status }) => status === 404)).toEqual([]);
    github.startRun('web', run(2));
    await scene.becomes(112);
    github.loseDeliveries(() => true);
    for (const { id } of github.openJobs().slice(0, 100)) github.complete(id);
    await scene.becomes(12);
  });

  it('with a token, and githubApiURL on the trigger as KEDA has it', async (test) => {
    const scene = await Scene.start(test, { github: { prefix, token: 'ghp_1' } });
    await scene.becomes(0);
    scene.github.startRun('web', run(1));
    await scene.becomes(1, { connection: '', owner: 'acme', githubApiURL: `${scene.github.url}/` });
  });

  it('an apiUrl without /api/v3, with an App and with a token: what to correct', async (test) => {
    const scene = await Scene.start(test, {
      github: { prefix },
      connection: { ...hasty },
      others: ({ url }) => ({
        wrong: {
          source: 'github',
          owner: 'acme',
          apiUrl: url.replace(prefix, ''),
          tokenFile: 'token',
        },
        app: {
          source: 'github',
          owner: 'acme',
          apiUrl: url.replace(prefix, ''),
          app: { id: 1, privateKeyFile: 'app.pem' },
        },
      }),
      asDescribed: false,
    });
    for (const connection of ['wrong', 'app'])
      for (const more of [{}, { repos: 'web' }])
        await scene.becomesUnknown('UNAVAILABLE', { connection, ...more }, /`apiUrl` is the REST API/);
    await scene.becomes(0);
  });
});
