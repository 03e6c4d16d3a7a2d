import { describe, expect, it } from 'vitest';
import { tooLow } from '../../support/github-keda.ts';
import { hasty, run, Scene } from '../../support/github-scaler.ts';

const minuteMs = 60_000;

describe.concurrent('faults: our identity and clock at GitHub', { timeout: 120_000 }, () => {
  for (const minutes of [3, -3]) {
    it(`GitHub's clock is ${minutes} minutes off ours: the App is let in, and jobs are followed`, async (test) => {
      const scene = await Scene.start(test, {
        github: { now: () => Date.now() + minutes * minuteMs },
        before: (github) => {
          github.addRepo('web');
          github.seedRun('web', run(1));
        },
      });
      const { github } = scene;
      await scene.becomes(1);
      const [first] = github.startRun('web', run(2)).jobs;
      await scene.becomes(3);
      github.pick(first?.id ?? 0);
      await scene.becomes(2, { count: 'queued' });
      github.complete(first?.id ?? 0);
      await scene.becomes(2);
      github.loseDeliveries(() => true);
      for (const { id } of github.openJobs()) github.complete(id);
      await scene.becomes(0);
    });
  }

  it('a private key with \\n in place of line ends, as from an environment, is read', async (test) => {
    const scene = await Scene.start(test, {
      files: ({ app }) => ({ 'app.pem': app?.privateKey?.trim().replaceAll('\n', '\\n') ?? '' }),
    });
    await scene.becomes(0);
    scene.github.startRun('web', run(1));
    await scene.becomes(1);
  });

  it('an installation that may not read Actions: UNAVAILABLE with what to grant; once granted, the number', async (test) => {
    const scene = await Scene.start(test, {
      before: (github) => {
        github.addRepo('web');
        github.seedRun('web', run(2));
        github.grant({ metadata: 'read' });
      },
    });
    const polling = scene.poll(test);
    await scene.becomesUnknown('UNAVAILABLE', {}, /grant the App the permission "Actions: read"/);
    scene.github.grant({ metadata: 'read', actions: 'read' });
    await scene.becomes(2);
    expect(tooLow(await polling.stop(), 2)).toEqual([]);
  });

  it('a permission that is revoked while jobs wait never makes the number 0', async (test) => {
    const scene = await Scene.start(test);
    const shortLived = { maxStalenessSeconds: '3' };
    await scene.becomes(0, shortLived);
    scene.github.startRun('web', run(2));
    await scene.becomes(2, shortLived);
    const polling = scene.poll(test, shortLived);
    scene.github.grant({ metadata: 'read' });
    await scene.becomesUnknown('UNAVAILABLE', shortLived);
    scene.github.grant({ metadata: 'read', actions: 'read' });
    await scene.becomes(2, shortLived);
    expect(tooLow(await polling.stop(), 2)).toEqual([]);
  });

  it('installation tokens that stop working are replaced', async (test) => {
    const scene = await Scene.start(test);
    const { github } = scene;
    await scene.becomes(0);
    github.startRun('web', run(1));
    await scene.becomes(1);
    const polling = scene.poll(test);
    github.revokeTokens();
    github.loseDeliveries(() => true);
    github.startRun('web', run(1));
    await scene.becomes(2);
    expect(tooLow(await polling.stop(), 1)).toEqual([]);
  });

  it('an App that is not installed on the owner: the reason and what to do, never 0', async (test) => {
    const scene = await Scene.start(test, {
      connection: { ...hasty, owner: 'labs' },
      before: (github) => {
        github.addOwner('labs');
        github.addRepo('labs/web');
        github.seedRun('labs/web', run(1));
      },
    });
    await scene.becomesUnknown('UNAVAILABLE', {}, /install/);
  });

  it('a token that is not GitHub’s: UNAVAILABLE with what to do', async (test) => {
    const scene = await Scene.start(test, {
      github: { token: 'ghp_good' },
      files: () => ({ token: 'ghp_expired' }),
    });
    await scene.becomesUnknown('UNAVAILABLE', {}, /refuses the token: has it expired or been revoked/);
    expect(JSON.stringify(scene.scaler.log.lines)).not.toContain('ghp_expired');
  });

  it('a token that is GitHub’s: followed and healed as with an App', async (test) => {
    const scene = await Scene.start(test, { github: { token: 'ghp_good' } });
    await scene.becomes(0);
    scene.github.startRun('web', run(1));
    await scene.becomes(1);
    scene.github.loseDeliveries(() => true);
    scene.github.complete(scene.github.openJobs()[0]?.id ?? 0);
    await scene.becomes(0);
  });
});
