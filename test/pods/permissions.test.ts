import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { natsSettings } from '../../src/outbound/nats.ts';
import { Pods } from '../../src/pods/pods.ts';
import type { Peers } from '../../src/sources/source.ts';
import { followed, inbound } from '../support/event-store.ts';
import { openNatsLog } from '../support/nats/event-log.ts';
import { useNats } from '../support/nats/server.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const page = readFileSync(new URL('../../docs/pods.md', import.meta.url), 'utf8');

/** The subjects of an option in the command that makes the user, and in the lines that replace some of it. */
function subjects(option: string, text: string): string[] {
  const given = [...text.matchAll(new RegExp(`^  ${option} '([^']+)'`, 'gm'))];
  return given.flatMap(([, list = '']) => list.split(','));
}

const [whole = '', fewer = ''] = page.split('### Fewer rights');
const publish = subjects('--allow-pub', whole);
const subscribe = subjects('--allow-sub', whole);
const instead = subjects('--allow-pub', fewer);
// The one with fewer rights is first, so it makes the stream and the buckets.
const few = [...publish.filter((subject) => subject !== '$JS.API.>'), ...instead];
const users = [
  { user: 'fewer', password: 'secret', permissions: { publish: few, subscribe } },
  { user: 'scaler', password: 'secret', permissions: { publish, subscribe } },
];
const hints = 'backlog-scaler.hints';
const mute = {
  user: 'mute',
  password: 'secret',
  permissions: { publish: publish.filter((subject) => subject !== hints), subscribe },
};
const deaf = {
  user: 'deaf',
  password: 'secret',
  permissions: { publish, subscribe: subscribe.filter((subject) => subject !== hints) },
};
const configOf = (...all: readonly object[]): string => `authorization ${JSON.stringify({ users: all })}`;
const nats = useNats({ config: configOf(...users, mute, deaf) });

it.each(users)('with the permissions of docs/pods.md ($user) events are kept', async ({ user }) => {
  expect(instead).toContain('$JS.API.STREAM.INFO.*');
  const settings = { username: user, password: 'secret' };
  const { events, log } = await openNatsLog({ urls: nats().urls, stream: 'backlog-scaler', settings });
  await events.append(inbound(1));
  const seen = followed(events.feedOf('ci'));
  await seen.replayed;
  expect(seen.facts.length).toBeGreaterThan(0);
  expect(log.messages('error')).toEqual([]);
});

it.each(users)(
  'with the permissions of docs/pods.md ($user) pods agree on a lease, answer each other, and pass on hints and news of surges',
  async ({ user }) => {
    expect(publish).toContain('backlog-scaler.peers.>');
    expect(subscribe).toContain('backlog-scaler.peers.>');
    const join = (
      name: string,
    ): {
      pods: Pods;
      peers: Peers;
      log: ReturnType<typeof recordingLogger>;
      heard: unknown[];
      told: unknown[];
    } => {
      const log = recordingLogger();
      const parsed = z
        .object(natsSettings)
        .parse({ servers: nats().urls, username: user, password: 'secret' });
      const told: unknown[] = [];
      const pods = new Pods({
        settings: { ...parsed, stream: 'backlog-scaler', replicas: 1 },
        hinted: (hint) => void told.push(hint),
        surging: (news) => void told.push(news),
        held() {},
        gaveUp() {},
        log,
      });
      const heard: unknown[] = [];
      const duties = {
        answer: () => Promise.resolve(name),
        hear: (news: unknown) => void heard.push(news),
        changed() {},
      };
      pods.open();
      const peers = pods.peersOf('ci', 'acme', duties, log);
      onTestFinished(async () => {
        await peers.close();
        await pods.close();
      });
      return { pods, peers, log, heard, told };
    };
    const a = join('a');
    await expect.poll(() => a.peers.term !== undefined).toBe(true);
    const b = join('b');
    expect(await b.peers.ask(1, new AbortController().signal)).toBe('a');
    a.peers.tell('news');
    await expect.poll(() => b.heard).toEqual(['news']);
    const hint = { connection: 'jobs', cause: 'hint' } as const;
    const nudged = { kind: 'nudged', id: 'x' } as const;
    a.pods.hint({ ...hint, subject: undefined });
    a.pods.surges.tell(nudged);
    await expect.poll(() => b.told).toEqual(expect.arrayContaining([hint, nudged]));
    await a.peers.close();
    await expect.poll(() => b.peers.term !== undefined).toBe(true);
    expect([...a.log.messages('error'), ...b.log.messages('error')]).toEqual([]);
  },
);

async function startPod(user: string) {
  const log = recordingLogger();
  const parsed = z.object(natsSettings).parse({ servers: nats().urls, username: user, password: 'secret' });
  const told: unknown[] = [];
  const pods = new Pods({
    settings: { ...parsed, stream: 'backlog-scaler', replicas: 1 },
    hinted: (hint) => void told.push(hint),
    surging() {},
    held() {},
    gaveUp() {},
    log,
  });
  pods.open();
  onTestFinished(() => pods.close());
  await expect.poll(() => pods.link.up).toBeDefined();
  await pods.link.up?.connection.flush();
  return { pods, log, told };
}

const hint = { connection: 'jobs', subject: undefined, cause: 'hint' } as const;

it('a user who may not publish hints is told of it, once', async () => {
  const { pods, log } = await startPod('mute');
  for (let i = 0; i < 3; i += 1) {
    pods.hint(hint);
    await pods.link.up?.connection.flush();
    await expect.poll(() => log.messages('error')).toEqual([expect.stringContaining('lacks a permission')]);
  }
  expect(log.text()).toContain(hints);
});

it('a subject that may be heard only later is heard then', async () => {
  const { pods, log, told } = await startPod('deaf');
  await expect.poll(() => log.messages('error')).toEqual([expect.stringContaining('does not come')]);
  await nats().restart('n1', configOf(...users, mute, { ...deaf, permissions: { publish, subscribe } }));
  const other = await startPod('scaler');
  await expect
    .poll(() => {
      other.pods.hint(hint);
      return told.length;
    })
    .toBeGreaterThan(0);
  await pods.close();
});
