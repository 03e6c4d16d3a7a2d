import { describe, expect, it } from 'vitest';
import type { FakeGitHub } from '../../../fakes/github/fake-github.ts';
import { eventually, hasty, patient, run, Scene } from '../../support/github-scaler.ts';

describe.concurrent('owners', () => {
  const twoOrganizations = (github: FakeGitHub) => {
    github.addRepo('web');
    github.addOwner('labs', { installationId: 3 });
    github.addRepo('labs/web');
    github.seedRun('labs/web', run(1));
  };
  const labsToo = (more: object) => (github: FakeGitHub) => ({
    labs: {
      source: 'github',
      owner: 'labs',
      apiUrl: github.url,
      app: { id: github.app?.id, privateKeyFile: 'app.pem' },
      webhookSecretFile: 'webhook-secret',
      ...more,
    },
  });
  const labs = { connection: 'labs' };

  it('one App over two organizations is two connections with one webhook', async (test) => {
    const scene = await Scene.start(test, {
      connection: patient,
      before: twoOrganizations,
      others: labsToo(patient),
    });
    const { github } = scene;
    await scene.becomes(0);
    await scene.becomes(1, labs);
    github.startRun('web', run(2));
    github.startRun('labs/web', run(3));
    await scene.becomes(2);
    await scene.becomes(4, labs);
    await scene.becomes(4, { owner: 'LABS', connection: '' });
    for (const { id } of github.openJobs('labs/web')) github.complete(id);
    await scene.becomes(0, labs);
    await scene.becomes(2);
  });

  it('one App over two organizations is healed by REST in both', async (test) => {
    const scene = await Scene.start(test, { before: twoOrganizations, others: labsToo(hasty) });
    const { github } = scene;
    await scene.becomes(0);
    await scene.becomes(1, labs);
    github.loseDeliveries(() => true);
    github.startRun('web', run(2));
    github.startRun('labs/web', run(3));
    await scene.becomes(2);
    await scene.becomes(4, labs);
  });

  it("trouble with one organization's REST does not change the other's number", async (test) => {
    const scene = await Scene.start(test, { before: twoOrganizations, others: labsToo(hasty) });
    const { github } = scene;
    const shortLived = { maxStalenessSeconds: '3' };
    await scene.becomes(1, { ...labs, ...shortLived });
    await scene.becomes(0, shortLived);
    github.faults.status('/repos/labs/', 502);
    await scene.becomesUnknown('UNAVAILABLE', { ...labs, ...shortLived });
    github.startRun('web', run(1));
    await scene.becomes(1, shortLived);
  });

  it('scope repo: the repositories of a user', async (test) => {
    const scene = await Scene.start(test, {
      github: { owner: 'octo', ownerType: 'User' },
      connection: { ...hasty, owner: 'octo', scope: 'repo' },
    });
    const { github } = scene;
    await scene.becomes(0);
    github.startRun('web', run(2));
    await scene.becomes(2, { runnerScope: 'repo' });
    github.loseDeliveries(() => true);
    github.complete(github.openJobs()[0]?.id ?? 0);
    await scene.becomes(1, { repos: 'web' });
  });

  it('scope repo with a token: private repositories too', async (test) => {
    const scene = await Scene.start(test, {
      github: { owner: 'octo', ownerType: 'User', token: 'ghp_1' },
      connection: { ...hasty, owner: 'octo', scope: 'repo' },
      before: (github) => {
        github.addRepo('web');
        github.addRepo('secret', { private: true });
        github.seedRun('secret', run(2));
      },
    });
    await scene.becomes(2, { repos: 'secret' });
    await scene.becomes(2);
  });

  it('scope ent: webhooks of the enterprise count, and the named repositories are swept', async (test) => {
    const scene = await Scene.start(test, {
      github: { enterprise: 'megacorp', token: 'ghp_1' },
      connection: { ...hasty, owner: 'megacorp', scope: 'ent', repos: ['acme/web'] },
      before: (github) => {
        github.addRepo('web');
        github.addOwner('labs');
        github.addRepo('labs/web');
        github.seedRun('web', run(1));
      },
    });
    const { github } = scene;
    await scene.becomes(1, { repos: 'acme/web' });
    github.startRun('labs/web', run(2));
    await scene.becomes(3);
    await scene.becomes(2, { repos: 'labs/web' });
    github.loseDeliveries(() => true);
    for (const { id } of github.openJobs('web')) github.complete(id);
    await scene.becomes(0, { repos: 'acme/web' });
  });

  it('scope ent: a webhook without an enterprise is refused', async (test) => {
    const scene = await Scene.start(test, {
      github: { token: 'ghp_1' },
      connection: { ...hasty, owner: 'megacorp', scope: 'ent', repos: ['acme/web'] },
    });
    await scene.becomes(0, { repos: 'acme/web' });
    scene.github.startRun('web', run(1));
    const foreign = 'backlog_scaler_ingest_requests_total{kind="github",outcome="foreign"}';
    await eventually(async () => expect(await scene.metric(foreign)).toBeGreaterThan(0));
    // It is swept anyway, because the connection names it.
    await scene.becomes(1, { repos: 'acme/web' });
  });

  it('webhooks as forms are accepted like those as JSON', async (test) => {
    const scene = await Scene.start(test, { connection: patient, hook: { contentType: 'form' } });
    const { github } = scene;
    await scene.becomes(0);
    const [job] = github.startRun('web', run(1, ['self-hosted', 'größe+1 & mehr=?'])).jobs;
    await scene.becomes(1, { labels: 'Größe+1 & mehr=?' });
    github.complete(job?.id ?? 0);
    await scene.becomes(0);
  });

  it('a webhook of the organization, which names no installation, works too', async (test) => {
    const scene = await Scene.start(test, { connection: patient, hook: { of: 'organization' } });
    await scene.becomes(0);
    scene.github.startRun('web', run(1));
    await scene.becomes(1);
  });

  it('a hook of the repository and one of the App report the same: a job counts once', async (test) => {
    const scene = await Scene.start(test, { connection: patient });
    const { github } = scene;
    await scene.becomes(0);
    const url = `http://127.0.0.1:${scene.ingestPort}/ingest/github/ci`;
    github.hook({ url, secret: "It's a Secret to Everybody", of: 'repository' });
    const { jobs } = github.startRun('web', run(2));
    await github.delivered();
    await scene.becomes(2);
    github.complete(jobs[0]?.id ?? 0);
    await scene.becomes(1);
  });

  it('a token that sees both owners of a transferred repository: it counts only with its new one', async (test) => {
    const scene = await Scene.start(test, {
      github: { token: 'ghp_1' },
      before: (github) => {
        github.addRepo('web');
        github.addRepo('api');
        github.addOwner('labs');
        github.seedRun('web', run(2));
      },
      others: (github) => ({
        labs: { source: 'github', owner: 'labs', apiUrl: github.url, tokenFile: 'token', ...hasty },
      }),
    });
    const shortLived = { maxStalenessSeconds: '3' };
    const named = { ...shortLived, repos: 'web' };
    await scene.becomes(2, shortLived);
    await scene.becomes(2, named);
    scene.github.transferRepo('web', 'labs');
    await scene.becomes(2, { ...labs, ...shortLived });
    await scene.becomes(0, shortLived);
    await scene.becomesUnknown('NOT_FOUND', named, /acme\/web was transferred and is labs\/web now/);
    await scene.becomes(2, { ...labs, ...named });
  });

  it('a token, and a repository that is renamed and loses its name to another', async (test) => {
    const scene = await Scene.start(test, {
      github: { token: 'ghp_1' },
      before: (github) => {
        github.addRepo('web');
        github.seedRun('web', run(2));
      },
    });
    const { github } = scene;
    await scene.becomes(2, { repos: 'web' });
    github.renameRepo('web', 'shop');
    await scene.becomes(2, { repos: 'shop' });
    await scene.becomes(2, { repos: 'web,shop' });
    github.addRepo('web');
    github.startRun('web', run(1));
    await scene.becomes(1, { repos: 'web' });
    await scene.becomes(2, { repos: 'shop' });
    await scene.becomes(3);
  });

  it('without a webhook jobs are seen by sweeps', async (test) => {
    const scene = await Scene.start(test, { hook: false });
    await scene.becomes(0);
    scene.github.startRun('web', run(2));
    await scene.becomes(2);
    expect(JSON.stringify(scene.scaler.log.lines)).toContain('without a webhook secret');
  });
});
