import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tooLow } from '../../support/github-keda.ts';
import { patient, run, Scene, type Test } from '../../support/github-scaler.ts';
import { jobPayload, send } from '../../support/github-webhooks.ts';
import { post } from '../../support/ingest.ts';

/** One job waits. It is read again every second. */
async function oneJob(test: Test): Promise<Scene> {
  const scene = await Scene.start(test);
  await scene.becomes(0);
  scene.github.startRun('web', run(1));
  await scene.becomes(1);
  return scene;
}

/** Whatever came before, after a reconcile the number is GitHub's, and an honest webhook counts. */
async function goesOn(scene: Scene): Promise<void> {
  await scene.reconciled();
  await scene.agrees();
  scene.github.startRun('web', run(1));
  await scene.agrees();
  for (const { id } of scene.github.openJobs()) scene.github.complete(id);
  await scene.becomes(0);
}

describe.concurrent('bad input: unsigned', () => {
  const completed = (scene: Scene) => {
    const [job] = scene.github.openJobs();
    return jobPayload('completed', { id: job?.id, run_id: job?.run.id });
  };

  it('a wrong signature is refused with 401 and changes nothing', async (test) => {
    const scene = await oneJob(test);
    const { status, body } = await send(scene.ingestPort, completed(scene), { signedWith: 'a guess' });
    expect(status).toBe(401);
    expect(JSON.stringify(body)).not.toContain('Secret to Everybody');
    await scene.becomes(1);
    await goesOn(scene);
  });

  for (const signature of ['', 'sha1=0123456789abcdef0123456789abcdef01234567', `sha256=${'0'.repeat(63)}`]) {
    it(`a malformed signature ("${signature.slice(0, 12)}") is refused with 401`, async (test) => {
      const scene = await oneJob(test);
      const headers = signature === '' ? {} : { 'x-hub-signature-256': signature };
      const body = JSON.stringify(completed(scene));
      expect(await post(scene.ingestPort, { body, headers })).toMatchObject({ status: 401 });
      await scene.becomes(1);
    });
  }

  it("another connection's secret is refused for this owner's jobs with 403, and takes its own", async (test) => {
    const scene = await Scene.start(test, {
      connection: patient,
      before: (github) => {
        github.addRepo('web');
        github.addOwner('labs', { installationId: 3 });
        github.addRepo('labs/web');
      },
      others: ({ url, app }) => ({
        labs: {
          source: 'github',
          owner: 'labs',
          apiUrl: url,
          app: { id: app?.id, privateKeyFile: 'app.pem' },
          webhookSecretFile: 'labs-secret',
        },
      }),
      files: () => ({ 'labs-secret': "labs' own long secret" }),
    });
    const labs = { connection: 'labs' };
    await scene.becomes(0);
    await scene.becomes(0, labs);
    scene.github.startRun('web', run(1));
    await scene.becomes(1);
    const signedWith = "labs' own long secret";
    for (const path of ['/ingest/github', '/ingest/github/labs']) {
      expect(await send(scene.ingestPort, completed(scene), { signedWith, path })).toMatchObject({
        status: 403,
      });
    }
    const path = '/ingest/github/ci';
    expect(await send(scene.ingestPort, completed(scene), { signedWith, path })).toMatchObject({
      status: 401,
    });
    await scene.becomes(1);
    const repository = { name: 'web', full_name: 'labs/web', owner: { login: 'labs' } };
    const ofLabs = jobPayload('queued', {}, { repository, organization: { login: 'labs' } });
    expect(await send(scene.ingestPort, ofLabs, { signedWith })).toMatchObject({ status: 202 });
    await scene.becomes(1, labs);
    await scene.becomes(1);
  });
});

describe('bad input: signed, but without a meaning', () => {
  const atEnd: (() => unknown)[] = [];
  let scene: Scene;

  beforeAll(async () => {
    scene = await oneJob({ onTestFinished: (end) => void atEnd.unshift(end) });
  });

  afterAll(async () => {
    for (const end of atEnd) await end();
  });

  const odd: [string, unknown][] = [
    ['workflow_job: null', jobPayload('queued', null)],
    ['workflow_job without anything', jobPayload('queued', { id: undefined, run_id: undefined })],
    ['workflow_job: a list', { ...jobPayload('queued'), workflow_job: [] }],
    ['an id that is text', jobPayload('queued', { id: '12' })],
    ['an id beyond 2^53', JSON.stringify(jobPayload('queued')).replace('900000001', '9'.repeat(30))],
    ['a negative id', jobPayload('queued', { id: -1 })],
    ['an unknown action and status', jobPayload('delayed')],
    ['no action and no status', jobPayload('queued', { status: null }, { action: null })],
    ['300 labels', jobPayload('queued', { labels: Array.from({ length: 300 }, (_, i) => `l${i}`) })],
    ['a label of a megabyte', jobPayload('queued', { labels: ['x'.repeat(1_000_000)] })],
    ['no repository', jobPayload('queued', {}, { repository: null })],
    [
      'a repository that is no name',
      jobPayload('queued', {}, { repository: { name: '../..', owner: { login: 'acme' } } }),
    ],
    ['a number', 7],
    ['null', null],
    ['a list', []],
    ['nothing', ''],
    ['half of an object', '{"action": "queued", "workflow_job": {'],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
    ['very deep', '['.repeat(100_000)],
  ];

  for (const [name, body] of odd) {
    it(`${name}: no error of ours, and no job`, async () => {
      const { status } = await send(scene.ingestPort, body);
      expect(status).toBeGreaterThanOrEqual(200);
      expect(status).toBeLessThan(500);
      await scene.becomes(1);
      await scene.becomes(0, { labels: 'l0,l1', defaultLabels: 'none' });
    });
  }

  it('afterwards nothing has changed, and webhooks still count', async () => {
    await goesOn(scene);
    expect(scene.scaler.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe.concurrent('bad input: signed, and odd', () => {
  it('null labels, and null among them, are no labels', async (test) => {
    const scene = await oneJob(test);
    const strict = { matchUnlabeledJobsWithUnlabeledRunners: 'true', labels: 'gpu' };
    await send(scene.ingestPort, jobPayload('queued', { labels: null }));
    await send(scene.ingestPort, jobPayload('queued', { id: 900_000_002, labels: [null, 'gpu', 7] }));
    await scene.becomes(2, strict);
    await scene.becomes(3, { labels: 'gpu' });
  });

  it('an old payload without run_attempt and created_at counts', async (test) => {
    const scene = await oneJob(test);
    await send(scene.ingestPort, jobPayload('queued', { run_attempt: undefined, created_at: undefined }));
    await scene.becomes(2);
    await send(scene.ingestPort, jobPayload('completed', { run_attempt: undefined, created_at: undefined }));
    await scene.becomes(1);
  });

  it('events that nobody has subscribed to are accepted and ignored', async (test) => {
    const scene = await oneJob(test);
    for (const event of ['push', 'check_run', 'installation', 'constructor', '__proto__']) {
      expect(await send(scene.ingestPort, jobPayload('completed'), { event })).toMatchObject({ status: 202 });
    }
    await goesOn(scene);
  });

  it('action queued with status waiting does not count until it is approved', async (test) => {
    const scene = await oneJob(test);
    const polling = scene.poll(test);
    const [job] = scene.github.startRun('web', {
      jobs: [{ labels: ['self-hosted'], environment: true }],
    }).jobs;
    await scene.github.delivered();
    await scene.becomes(1);
    const answers = await polling.stop();
    expect(answers.filter(({ number }) => number !== 1)).toEqual([]);
    scene.github.approve(job?.id ?? 0);
    await scene.becomes(2);
    await goesOn(scene);
  });

  it('a job that is cancelled in the queue, with a runner of 0, has ended', async (test) => {
    const scene = await oneJob(test);
    const [job] = scene.github.openJobs();
    scene.github.loseDeliveries(() => true);
    scene.github.cancelRun(job?.run.id ?? 0);
    scene.github.mendDeliveries();
    const over = { id: job?.id, run_id: job?.run.id, conclusion: 'cancelled', runner_id: 0, runner_name: '' };
    await send(scene.ingestPort, jobPayload('completed', over));
    await scene.becomes(0);
    await goesOn(scene);
  });

  it('a delivery that is replayed a hundred times is one job, also after its end', async (test) => {
    const scene = await oneJob(test);
    const { github } = scene;
    const guids = github.guids();
    const replay = async () => {
      for (let i = 0; i < 100; i += 1) for (const guid of guids) github.redeliver(guid);
      await github.delivered();
    };
    await replay();
    await scene.becomes(1);
    for (const { id } of github.openJobs()) github.complete(id);
    await scene.becomes(0);
    await replay();
    await scene.becomes(0);
    await goesOn(scene);
  });

  it('the number can never become negative', async (test) => {
    const scene = await oneJob(test);
    const polling = scene.poll(test);
    for (let id = 1; id <= 20; id += 1) {
      await send(scene.ingestPort, jobPayload('completed', { id, labels: ['self-hosted'] }));
      await send(scene.ingestPort, jobPayload('in_progress', { id, labels: ['self-hosted'] }));
    }
    await scene.becomes(1);
    expect(tooLow(await polling.stop(), 1)).toEqual([]);
  });
});
