import { describe, expect, it } from 'vitest';
import { eventsConfig } from '../../../../../src/sources/events/config.ts';
import { fact } from '../../../../../src/sources/events/index.ts';
import type { InboundCloudEvent } from '../../../../../src/sources/inbound.ts';

const event = (more: Partial<InboundCloudEvent> = {}): InboundCloudEvent => ({
  id: 'e-1',
  source: '/ci/main',
  type: 'com.example.build.started.v1',
  subject: 'build-7',
  timeMs: 1_700_000_000_000,
  data: { build: { uid: 'u-7', try: 2, 'a/b': ['x', 'y'] }, state: 'STARTED' },
  extensions: { attempt: '3' },
  ...more,
});

const rule = {
  backlog: 'builds',
  type: 'com.example.build.started.*',
  state: 'queued',
  key: 'subject',
} as const;

function factsOf(items: readonly object[], about: InboundCloudEvent = event()) {
  return fact(eventsConfig.parse({ ttlSeconds: 60, items }), about);
}

function keyOf(key: string | readonly string[], about?: InboundCloudEvent) {
  return factsOf([{ ...rule, key }], about)?.[0]?.key;
}

describe('fact', () => {
  it('takes the result of the first entry that fits', () => {
    expect(factsOf([rule, { ...rule, state: 'finished' }])).toEqual([
      { backlog: 'builds', key: 'build-7', state: 'queued', attempt: 0, atMs: 1_700_000_000_000 },
    ]);
  });

  it('speaks of every backlog that has an entry which fits', () => {
    const items = [rule, { ...rule, backlog: 'all', type: '*', key: 'id' }, { ...rule, state: 'running' }];
    expect(factsOf(items)?.map(({ backlog, key }) => [backlog, key])).toEqual([
      ['builds', 'build-7'],
      ['all', 'e-1'],
    ]);
  });

  it.each([
    ['another type', { ...rule, type: 'com.example.build.started' }],
    ['another source', { ...rule, source: '/ci/other' }],
    ['another subject', { ...rule, subject: 'release-*' }],
    ['other data', { ...rule, data: { '/state': 'STOPPED' } }],
    ['data that is not there', { ...rule, data: { '/status': '*' } }],
    ['data that is no scalar', { ...rule, data: { '/build': '*' } }],
  ])('ignores %s', (_, item) => {
    expect(factsOf([item])).toBeUndefined();
  });

  it('fits by source, subject and data', () => {
    const item = { ...rule, source: '/ci/*', subject: 'build-*', data: { '/state': 'START*' } };
    expect(factsOf([item])).toHaveLength(1);
  });

  it.each([
    ['source', '/ci/main'],
    ['subject', 'build-7'],
    ['id', 'e-1'],
    ['/build/uid', 'u-7'],
    ['/build/try', '2'],
    ['/build/a~1b/1', 'y'],
  ])('takes the key from %s', (key, value) => {
    expect(keyOf(key)).toBe(value);
  });

  it.each(['/build', '/nothing', '/build/a~1b/2', '/build/a~1b/length', '/build/uid/length', '/__proto__/x'])(
    'has no item without a key: %s',
    (key) => {
      expect(keyOf(key)).toBeUndefined();
    },
  );

  it('has no item without a subject, or without data that can be looked into', () => {
    expect(keyOf('subject', event({ subject: undefined }))).toBeUndefined();
    expect(keyOf('/a', event({ data: 'text' }))).toBeUndefined();
    expect(keyOf('/a', event({ data: undefined }))).toBeUndefined();
  });

  it('may be composed of several, and no two lists of them are one', () => {
    const at = (source: string, subject: string) => keyOf(['source', 'subject'], event({ source, subject }));
    expect(at('/ci', '42')).toBe(at('/ci', '42'));
    const keys = [at('/ci', '42'), at('/cd', '42'), at('/ci', '43'), at('/ci","42', 'x'), at('/ci,', '42')];
    expect(new Set(keys).size).toBe(keys.length);
    expect(keyOf(['source', '/nothing'])).toBeUndefined();
    expect(keyOf(['source', 'subject'], event({ source: '/a'.repeat(200) }))).toMatch(/^sha256:/);
  });

  it('bounds the key, and still keeps long ones apart', () => {
    const long = (end: string) => keyOf('subject', event({ subject: 'x'.repeat(100_000) + end }));
    expect(long('a')).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(long('a')).toBe(long('a'));
    expect(long('a')).not.toBe(long('b'));
  });

  it.each([
    ['/build/try', 2],
    ['attempt', 3],
    ['/state', 0],
    ['/nothing', 0],
    ['other', 0],
    ['constructor', 0],
  ])('takes the attempt from %s', (attempt, value) => {
    expect(factsOf([{ ...rule, attempt }])?.[0]?.attempt).toBe(value);
  });
});
