import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { events } from '../../../src/sources/events/index.ts';
import { github } from '../../../src/sources/github/index.ts';
import { sources } from '../../../src/sources/index.ts';
import { kafka } from '../../../src/sources/kafka/index.ts';
import { nats } from '../../../src/sources/nats/index.ts';
import type { AnySource } from '../../../src/sources/source.ts';
import { sqs } from '../../../src/sources/sqs/index.ts';
import { lines } from '../../support/toy-source/index.ts';

const role = (account: string, name = 'scaler') => ({ roleArn: `arn:aws:iam::${account}:role/${name}` });
const item = { backlog: 'builds', type: 'started', state: 'queued', key: 'subject' };

interface Case {
  readonly source: AnySource;
  readonly base: object;
  /** Settings that do not change where it measures. */
  readonly same: readonly object[];
  readonly other: readonly object[];
}

const cases: readonly Case[] = [
  {
    source: kafka,
    base: { bootstrapServers: ['a:9092', 'b:9092'] },
    same: [
      { bootstrapServers: ['b:9092', 'a:9092'] },
      { tls: true, sasl: { mechanism: 'plain', username: 'u', password: 'p' } },
      { requestTimeoutMs: 500, activeReadMs: 500 },
    ],
    other: [{ bootstrapServers: ['a:9092', 'c:9092'] }],
  },
  {
    source: sqs,
    base: { region: 'eu-central-1', ...role('111111111111') },
    same: [
      { credentials: { accessKeyId: 'AKID', secretAccessKey: 's' } },
      role('111111111111', 'another'),
      { idleReadSeconds: 9, snsTopics: ['arn:aws:sns:eu-central-1:111111111111:a'] },
    ],
    other: [{ region: 'eu-west-1' }, { endpoint: 'http://localhost:4566' }, role('222222222222')],
  },
  {
    source: github,
    base: { owner: 'acme', token: 'ghp_x' },
    same: [{ owner: 'ACME' }, { token: 'ghp_y' }, { webhookSecret: '0123456789abcdef' }, { sweepSeconds: 9 }],
    other: [{ owner: 'labs' }, { scope: 'repo' }, { apiUrl: 'https://ghes.test/api/v3' }, { repos: ['web'] }],
  },
  {
    source: events,
    base: { ttlSeconds: 60, items: [item] },
    same: [{ ttlSeconds: 61 }, { maxItems: 5 }],
    other: [
      { items: [{ ...item, type: 'queued' }] },
      { presets: [{ preset: 'codepipeline', backlog: 'b' }] },
    ],
  },
  {
    source: nats,
    base: { servers: ['nats://a:4222', 'nats://b:4222'], username: 'u', password: 'p' },
    same: [
      { servers: ['nats://b:4222', 'nats://a:4222'] },
      { password: 'q' },
      { tls: true, activeReadMs: 500, maxRequests: 5 },
    ],
    // Another user may belong to another account.
    other: [{ servers: ['nats://a:4222'] }, { domain: 'hub' }, { username: 'v' }],
  },
  {
    source: lines,
    base: { directory: '/a', pin: '1' },
    same: [{ pin: '2' }, { activeReadMs: 50 }],
    other: [{ directory: '/b' }],
  },
];

describe.each(cases)('the place of a connection: $source.kind', ({ source, base, same, other }) => {
  const placeOf = (more: object) => JSON.stringify(source.place(source.config.parse({ ...base, ...more })));

  it.each(same)('is the same with %j', (more) => {
    expect(placeOf(more)).toBe(placeOf({}));
  });

  it.each(other)('is another with %j', (more) => {
    expect(placeOf(more)).not.toBe(placeOf({}));
  });
});

it.each([...sources, lines])('a local setting is a setting: $kind', ({ config, local = [] }) => {
  const { properties } = z.toJSONSchema(config, { io: 'output', unrepresentable: 'any' });
  expect(Object.keys(properties ?? {})).toEqual(expect.arrayContaining([...local]));
});
