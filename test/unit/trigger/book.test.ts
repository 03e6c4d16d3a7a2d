import { beforeEach, describe, expect, it } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import { decimal, list, ranges, required, text } from '../../../src/params/schema.ts';
import type { Source } from '../../../src/sources/source.ts';
import { TriggerBook } from '../../../src/trigger/book.ts';
import type { ConfiguredConnection } from '../../../src/trigger/trigger.ts';
import { byName, connectionOf, referenceOf } from '../../support/board.ts';
import { hintSource, QueueService } from '../../support/hint-source.ts';

interface LogParams {
  consumerGroup: string;
  topic: readonly string[];
  lagThreshold: number;
  partitionLimitation: ReadonlySet<number> | undefined;
}

const logSource: Source<LogParams, { servers: string[] }, undefined, undefined> = {
  ...(hintSource as unknown as Source<LogParams, { servers: string[] }, undefined, undefined>),
  kind: 'log',
  params: {
    table: {
      consumerGroup: required(text({ doc: 'The consumer group.' })),
      topic: list({ doc: 'Topics.' }),
      lagThreshold: decimal({ doc: 'Lag.', fallback: 10, above: 0 }),
      partitionLimitation: ranges({ doc: 'Partitions.' }),
    },
    rules: [
      ({ topic, lagThreshold }) => (topic.length > 1 && lagThreshold > 99 ? 'topic: too much' : undefined),
    ],
  },
  connectionKeys: {
    bootstrapServers: {
      doc: 'Brokers.',
      selects: true,
      agrees: ({ servers }, value) => value.split(',').some((server) => servers.includes(server.trim())),
    },
    version: { doc: 'Ignored.', selects: false },
  },
  target: ({ consumerGroup, topic, lagThreshold }) => ({
    perReplica: lagThreshold,
    activation: 0,
    nameParts: [consumerGroup, ...topic],
  }),
};

const connections: ConfiguredConnection[] = [
  connectionOf('orders', logSource, { servers: ['a:9092', 'b:9092'] }, { namespaces: ['shop', 'team-*'] }),
  connectionOf('audit', logSource, { servers: ['c:9092'] }, { namespaces: ['shop'] }),
  connectionOf('jobs', hintSource, new QueueService()),
];

let book: TriggerBook;
let refused: string[];

beforeEach(() => {
  refused = [];
  book = new TriggerBook({
    sources: [logSource, hintSource],
    connections: byName(connections),
    maxStalenessSeconds: 60,
    maxRemembered: 10,
    refused: ({ message }) => refused.push(message),
  });
});

const good = { source: 'log', connection: 'orders', consumerGroup: 'billing' };

function parse(metadata: Record<string, string>, namespace = 'shop') {
  return book.trigger(referenceOf(metadata, 'worker', namespace));
}

function faultsOf(metadata: Record<string, string>, namespace = 'shop'): string {
  try {
    parse(metadata, namespace);
  } catch (reason) {
    if (reason instanceof ScalerError) return `${reason.code}: ${reason.message}`;
    throw reason;
  }
  return 'no fault';
}

describe('values', () => {
  it('are trimmed, empty ones are missing, and defaults are filled in', () => {
    const { params } = parse({ ...good, consumerGroup: '  billing ', topic: '  ', lagThreshold: '' });
    expect(params).toEqual({
      consumerGroup: 'billing',
      topic: [],
      lagThreshold: 10,
      partitionLimitation: undefined,
    });
  });

  it.each([
    ['5', 5],
    ['2.5', 2.5],
    ['+1e2', 100],
    ['.5', 0.5],
  ])('number %s is %d', (lagThreshold, value) => {
    expect(parse({ ...good, lagThreshold }).target.perReplica).toBe(value);
  });

  it.each(['0', '-1', 'NaN', 'Infinity', '0x10', '1_000', 'ten', '1e999'])(
    'number %s is refused',
    (lagThreshold) => {
      expect(faultsOf({ ...good, lagThreshold })).toContain(`lagThreshold: must be a`);
    },
  );

  it('lists and ranges are KEDA’s', () => {
    const { params } = parse({ ...good, topic: 'a, b,,c', partitionLimitation: '1, 3-5' });
    expect(params).toMatchObject({ topic: ['a', 'b', 'c'], partitionLimitation: new Set([1, 3, 4, 5]) });
    expect(faultsOf({ ...good, partitionLimitation: '5-1' })).toContain('such as "1,3-5"');
    expect(faultsOf({ ...good, partitionLimitation: '0-999999999' })).toContain('more than 100000 members');
  });

  it('xFromEnv counts as x, and plain x wins', () => {
    const { consumerGroup, ...rest } = good;
    expect(parse({ ...rest, consumerGroupFromEnv: consumerGroup }).params).toMatchObject({ consumerGroup });
    expect(parse({ ...good, consumerGroupFromEnv: 'other' }).params).toMatchObject({ consumerGroup });
    expect(parse({ consumerGroupFromEnv: 'other', ...good }).params).toMatchObject({ consumerGroup });
    expect(parse({ ...good, consumerGroup: ' ', consumerGroupFromEnv: 'other' }).params).toMatchObject({
      consumerGroup: 'other',
    });
  });

  it('of a FromEnv key are never shown', () => {
    const faults = faultsOf({ ...good, lagThresholdFromEnv: 'hunter2' });
    expect(faults).toContain('lagThresholdFromEnv');
    expect(faults).not.toContain('hunter2');
  });

  it('KEDA’s own keys pass', () => {
    const keys = { scalerAddress: 'scaler:6000', enableTLS: 'true', unsafeSsl: 'false', version: '1.0.0' };
    expect(parse({ ...good, ...keys }).connection.name).toBe('orders');
  });
});

describe('faults', () => {
  it('come all at once, with whose they are', () => {
    const faults = faultsOf({
      source: 'log',
      connection: 'order',
      lagTreshold: '5',
      lagThreshold: 'x',
      topic: 'a',
    });
    expect(faults).toMatch(/^invalid: trigger of shop\/worker: /);
    for (const part of [
      'consumerGroup: is required (or consumerGroupFromEnv)',
      'lagThreshold: must be a decimal number above 0, got "x"',
      '"lagTreshold": unknown key (did you mean "lagThreshold"?)',
      'connection: "order" is not configured (did you mean "orders"?); there are: orders, audit',
    ]) {
      expect(faults).toContain(part);
    }
  });

  it('of several keys together are found', () => {
    expect(faultsOf({ ...good, topic: 'a,b', lagThreshold: '100' })).toContain('topic: too much');
  });

  it.each([
    [{}, 'source: is required'],
    [{ source: 'lgo' }, 'source: must be one of log, hinted, got "lgo" (did you mean "log"?)'],
    [{ ...good, policy: 'drain' }, 'policy: must be one of backlog, got "drain"'],
  ])('%j', (metadata, fault) => {
    expect(faultsOf(metadata)).toContain(fault);
  });

  it('of an empty reference do not throw anything else', () => {
    expect(() => book.trigger({ namespace: '', name: '', metadata: {} })).toThrow(
      /namespace: is missing.*name: is missing/,
    );
  });

  it('of a thousand unknown keys fit into a message', () => {
    const many = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, i) => [`key${i}${'x'.repeat(200)}`, '1']),
    );
    expect(faultsOf({ ...good, ...many }).length).toBeLessThan(4_096);
  });
});

describe('the connection', () => {
  const { connection: _, ...unnamed } = good;

  it('is found by an endpoint it shares', () => {
    expect(parse({ ...unnamed, bootstrapServers: 'x:1, b:9092' }).connection.name).toBe('orders');
    expect(parse({ ...unnamed, bootstrapServers: 'c:9092' }).connection.name).toBe('audit');
    expect(faultsOf({ ...unnamed, bootstrapServers: 'evil:9092' })).toContain(
      'no connection of source log that namespace "shop" may use has bootstrapServers "evil:9092"; there are: orders, audit',
    );
  });

  it('may be left out where only one is allowed to the namespace', () => {
    expect(parse(unnamed, 'team-a').connection.name).toBe('orders');
    expect(faultsOf(unnamed)).toContain('connection: must be named, 2 fit: orders, audit');
    expect(faultsOf(unnamed, 'bank')).toContain(
      'there is no connection of source log that namespace "bank" may use',
    );
  });

  it('must agree with the keys that are its own', () => {
    expect(faultsOf({ ...good, bootstrapServers: 'c:9092' })).toContain(
      'bootstrapServers: is not what connection "orders" has',
    );
  });

  it('of another namespace is PERMISSION_DENIED, and its name is not given away', () => {
    expect(faultsOf(good, 'bank')).toMatch(
      /^denied: trigger of bank\/worker: connection "orders" may not be used/,
    );
    expect(faultsOf({ ...good, connection: 'audi' }, 'bank')).not.toContain('audit');
  });

  it('must be of the trigger’s source', () => {
    expect(faultsOf({ ...good, connection: 'jobs' })).toContain(
      '"jobs" is of source hinted, the trigger\'s is log',
    );
  });
});

describe('the book', () => {
  it('parses equal references once, whatever the order of their keys', () => {
    const one = parse(good);
    const { source, ...rest } = good;
    expect(parse({ ...rest, source })).toBe(one);
    expect(parse({ ...good, topic: 'a' })).not.toBe(one);
  });

  it('tells once why one is refused, and again under a changed configuration', () => {
    const wrong = { ...good, consumerGruop: 'x' };
    const message = faultsOf(wrong).replace('invalid: ', '');
    faultsOf(wrong);
    parse(good);
    expect(refused).toEqual([message]);
    book.use({});
    faultsOf(wrong);
    expect(refused).toEqual([message, message]);
  });

  it('remembers no more than its bound', () => {
    const one = parse(good);
    for (let i = 0; i < 10; i += 1) parse({ ...good, topic: `t${i}` });
    expect(parse(good)).not.toBe(one);
    expect(parse(good).id).toBe(one.id);
  });

  it('remembers no more than its bound of text', () => {
    const one = parse(good);
    const roomy = new TriggerBook({
      sources: [logSource],
      connections: byName(connections),
      maxStalenessSeconds: 60,
      maxRemembered: 1_000_000,
    });
    const again = () => roomy.trigger(one.reference);
    const first = again();
    const long = 'x'.repeat(60_000);
    for (let i = 0; i < 500; i += 1) roomy.trigger(referenceOf({ ...good, scalerAddress: `${long}${i}` }));
    expect(again()).toBe(first);
    for (let i = 0; i < 100; i += 1) roomy.trigger(referenceOf({ ...good, unsafeSsl: `${long}${i}` }));
    expect(again()).not.toBe(first);
  });

  it('forgets all when the configuration changes', () => {
    const one = parse(good);
    book.use({ maxStalenessSeconds: 120 });
    expect(parse(good).maxStalenessMs).toBe(120_000);
    expect(one.maxStalenessMs).toBe(60_000);
    expect(parse({ ...good, maxStalenessSeconds: '5' }).maxStalenessMs).toBe(5_000);
  });

  it('names the metric by the parts, never by thresholds', () => {
    expect(parse({ ...good, topic: 'orders.v1' }).metricName).toBe('log-billing-orders-v1');
    expect(parse({ ...good, topic: 'orders.v1', lagThreshold: '99' }).metricName).toBe(
      'log-billing-orders-v1',
    );
  });
});
