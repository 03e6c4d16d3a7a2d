import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { natsSettings } from '../../src/outbound/nats.ts';
import { Pods } from '../../src/pods/pods.ts';
import type { Peers } from '../../src/sources/source.ts';
import { useNats } from '../support/nats/server.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const page = readFileSync(new URL('../../docs/pods.md', import.meta.url), 'utf8');

/** The subjects of a row of the table of permissions. */
function subjects(row: string): string[] {
  const line = page.split('\n').find((text) => text.startsWith(`| ${row} |`));
  return [...(line ?? '').matchAll(/`([^`]*[.>*][^`]*)`/g)].map(([, subject = '']) => subject);
}

const publish = [...subjects('publish'), ...subjects('for `github` connections, publish')];
const subscribe = ['_INBOX.>', ...subjects('subscribe'), ...subjects('and subscribe')];
const permissions = JSON.stringify({ publish, subscribe });
const nats = useNats({
  config: `authorization { users: [{ user: scaler, password: secret, permissions: ${permissions} }] }`,
});

it('with the permissions of docs/pods.md pods agree on a lease, answer each other, and pass on hints and news of surges', async () => {
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
      .parse({ servers: nats().urls, username: 'scaler', password: 'secret' });
    const told: unknown[] = [];
    const pods = new Pods({
      settings: { ...parsed, stream: 'backlog-scaler', replicas: 1 },
      hinted: (hint) => void told.push(hint),
      surging: (news) => void told.push(news),
      held() {},
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
});
