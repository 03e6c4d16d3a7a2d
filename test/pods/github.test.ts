import { expect, it, vi } from 'vitest';
import { FakeGitHub } from '../../fakes/github/fake-github.ts';
import { connectProxy } from '../support/connect-proxy.ts';
import { ask, Polling, tooLow } from '../support/github-keda.ts';
import { hasty, patient, run } from '../support/github-scaler.ts';
import { cuttableProxy } from '../support/nats/cuttable-proxy.ts';
import { newStream } from '../support/nats/event-log.ts';
import { useNats } from '../support/nats/server.ts';
import { Pod, roundRobin } from '../support/pods.ts';
import { ref } from '../support/rpc-client.ts';

const nats = useNats();
const trigger = ref('runners', { source: 'github', connection: 'ci' });

async function gitHub(repos: readonly string[]): Promise<FakeGitHub> {
  const github = await FakeGitHub.start({ owner: 'acme', token: 'pat' });
  for (const repo of repos) github.addRepo(repo);
  return github;
}

interface SceneOptions {
  readonly github: FakeGitHub;
  readonly pods: number;
  readonly connection?: object;
  readonly natsUrl?: string;
}

async function startPods({ github, pods, connection = hasty, natsUrl }: SceneOptions): Promise<Pod[]> {
  const [url = ''] = nats().urls;
  const options = { github, natsUrl: natsUrl ?? url, stream: newStream(), connection };
  return Promise.all(Array.from({ length: pods }, () => Pod.start(options)));
}

async function holderOf(pods: readonly Pod[]): Promise<Pod> {
  return vi.waitFor(
    async () => {
      const holding = await Promise.all(pods.map(async (pod) => ((await pod.holds()) ? [pod] : [])));
      const [holder, another] = holding.flat();
      expect(another).toBeUndefined();
      if (holder === undefined) throw new Error('no pod has the lease');
      return holder;
    },
    { timeout: 60_000, interval: 50 },
  );
}

async function allSay(pods: readonly Pod[], number: number): Promise<void> {
  for (const { client } of pods)
    await expect.poll(() => ask(client, trigger)).toEqual({ number, active: number > 0 });
}

it('all pods know jobs that only REST reports, and one of them asks', async () => {
  const github = await gitHub(['web', 'shop']);
  const pods = await startPods({ github, pods: 3 });
  const holder = await holderOf(pods);
  await allSay(pods, 0);
  github.startRun('web', run(3));
  github.startRun('shop', run(2));
  await allSay(pods, 5);
  for (const { run: of } of github.openJobs()) github.cancelRun(of.id);
  await allSay(pods, 0);
  expect(await holder.holds()).toBe(true);
  expect(await holder.requests()).toBe(github.recorder.total);
  for (const pod of pods) expect(await pod.connection()).toMatchObject({ hasLease: pod === holder });
});

it('a holder that is killed during the first sync is replaced, and GitHub does not get all requests again', async () => {
  const repos = Array.from({ length: 60 }, (_, i) => `repo-${i}`);
  const github = await gitHub(repos);
  for (const repo of repos) github.seedRun(repo, run(1));
  // The list, and for each repository its runs and the jobs of one.
  const needed = 1 + 2 * repos.length;
  const pods = await startPods({ github, pods: 3, connection: patient });
  await vi.waitFor(() => expect(github.recorder.total).toBeGreaterThan(needed / 4), {
    timeout: 60_000,
    interval: 1,
  });
  const holder = await holderOf(pods);
  await holder.kill();
  const before = github.recorder.total;
  expect(before).toBeLessThan(needed);
  const others = pods.filter((pod) => pod !== holder);
  await allSay(others, repos.length);
  // Requests that the killed pod did not pass on are repeated once. Two pods that ask separately would need twice as
  // many.
  expect(github.recorder.total).toBeLessThan(needed * 1.5);
});

it('while the holder is killed again and again, no caller of all pods in turn gets too low a number', async () => {
  const github = await gitHub(['web', 'shop', 'api']);
  for (const repo of ['web', 'shop', 'api']) github.seedRun(repo, run(2));
  const pods = await startPods({ github, pods: 3 });
  await allSay(pods, 6);
  const polling = new Polling(roundRobin(pods), trigger);
  const first = await holderOf(pods);
  await first.kill();
  const two = pods.filter((pod) => pod !== first);
  const second = await holderOf(two);
  await second.kill();
  const last = two.filter((pod) => pod !== second);
  await holderOf(last);
  github.startRun('web', run(1));
  await allSay(last, 7);
  const answers = await polling.stop();
  expect(tooLow(answers, 6)).toEqual([]);
  expect(answers.at(-1)).toEqual({ number: 7, active: true });
});

it('a pod that ends gives the lease back', async () => {
  const github = await gitHub(['web']);
  const pods = await startPods({ github, pods: 2 });
  const holder = await holderOf(pods);
  await holder.stop();
  const other = pods.filter((pod) => pod !== holder);
  await holderOf(other);
  github.startRun('web', run(1));
  await allSay(other, 1);
});

it('a holder that is cut off from NATS stops asking GitHub, and does not answer from old data', async () => {
  const github = await gitHub(['web']);
  github.seedRun('web', run(3));
  const [url = ''] = nats().urls;
  const proxy = await cuttableProxy(Number(new URL(url).port));
  const stream = newStream();
  const cutOff = await Pod.start({
    github,
    natsUrl: `nats://127.0.0.1:${proxy.port}`,
    stream,
    connection: hasty,
  });
  await holderOf([cutOff]);
  const other = await Pod.start({ github, natsUrl: url, stream, connection: hasty });
  const brief = ref('brief', { source: 'github', connection: 'ci', maxStalenessSeconds: '2' });
  for (const { client } of [cutOff, other])
    await expect.poll(() => ask(client, brief)).toEqual({ number: 3, active: true });
  const polling = new Polling(cutOff.client, brief);

  proxy.cut();
  await holderOf([other]);
  await vi.waitFor(async () => expect(await cutOff.holds()).toBe(false));
  const sent = await cutOff.requests();
  github.startRun('web', run(2));
  await expect.poll(() => ask(other.client, brief)).toEqual({ number: 5, active: true });
  await expect
    .poll(() => ask(cutOff.client, brief))
    .toEqual({ number: 'UNAVAILABLE', active: 'UNAVAILABLE' });
  // The other pod reads it several times more.
  const enough = (await other.requests()) + 6;
  await vi.waitFor(async () => expect(await other.requests()).toBeGreaterThan(enough), { timeout: 60_000 });
  expect(await cutOff.requests()).toBe(sent);
  expect(await ask(cutOff.client, brief)).toEqual({ number: 'UNAVAILABLE', active: 'UNAVAILABLE' });

  proxy.heal();
  await expect.poll(() => ask(cutOff.client, brief)).toEqual({ number: 5, active: true });
  const answers = await polling.stop();
  expect(tooLow(answers, 3)).toEqual([]);
});

it('a holder that no longer reaches GitHub gives the lease up to one that does, and says why', async () => {
  const github = await gitHub(['web']);
  github.seedRun('web', run(3));
  const { hostname, port } = new URL(github.url);
  const proxy = await connectProxy({ [hostname]: Number(port) });
  const options = { github, natsUrl: nats().urls[0] ?? '', stream: newStream(), connection: hasty };
  const cutOff = await Pod.start({ ...options, env: { HTTP_PROXY: proxy.url } });
  await holderOf([cutOff]);
  const other = await Pod.start(options);
  await allSay([cutOff, other], 3);
  proxy.behave('silent');
  const { error } = await cutOff.said('gives the lease of the connection up');
  expect(error).toMatch(/^GitHub \(127\.0\.0\.1:\d+\) /);
  await holderOf([other]);
  github.startRun('web', run(2));
  await allSay([cutOff, other], 5);
  expect(await cutOff.metrics()).toMatch(/^backlog_scaler_leases_given_up_total\{connection="ci"\} 1$/m);
  expect(await other.metrics()).toMatch(/^backlog_scaler_leases_given_up_total\{connection="ci"\} 0$/m);
});

it('a holder that hangs, and continues when another has the lease, does not ask GitHub', async () => {
  const github = await gitHub(['web']);
  github.seedRun('web', run(3));
  const pods = await startPods({ github, pods: 2 });
  await allSay(pods, 3);
  const first = await holderOf(pods);
  const [second] = pods.filter((pod) => pod !== first);
  if (second === undefined) throw new Error('there are two pods');
  const sent = await first.requests();
  first.freeze();
  await holderOf([second]);
  github.startRun('web', run(2));
  await allSay([second], 5);
  first.thaw();
  await allSay([first], 5);
  const enough = (await second.requests()) + 6;
  await vi.waitFor(async () => expect(await second.requests()).toBeGreaterThan(enough), { timeout: 60_000 });
  // The requests under way when it hung.
  expect((await first.requests()) - sent).toBeLessThanOrEqual(2);
  expect([await first.holds(), await second.holds()]).toEqual([false, true]);
});

it('while NATS is away no pod asks GitHub, all answer what they know, and then continue', async () => {
  const github = await gitHub(['web']);
  github.seedRun('web', run(3));
  const pods = await startPods({ github, pods: 2 });
  await allSay(pods, 3);
  const polls = pods.map(({ client }) => new Polling(client, trigger));
  await nats().server('n1').kill();
  for (const pod of pods) await vi.waitFor(async () => expect(await pod.holds()).toBe(false));
  const sent = github.recorder.total;
  github.startRun('web', run(1));
  for (const { client } of pods) expect(await ask(client, trigger)).toEqual({ number: 3, active: true });
  await nats().restart('n1');
  await allSay(pods, 4);
  await holderOf(pods);
  for (const poll of polls) expect(tooLow(await poll.stop(), 3)).toEqual([]);
  expect(github.recorder.total).toBeGreaterThan(sent);
});
