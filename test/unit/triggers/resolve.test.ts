import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import type { Ranges } from '../../../src/params/ranges.ts';
import { decimal, list, ranges, required, text } from '../../../src/params/schema.ts';
import type { ConfiguredConnection, Source } from '../../../src/sources/source.ts';
import { resolve, type World } from '../../../src/triggers/resolve.ts';
import { hintSource, QueueService } from '../../support/hint-source.ts';
import { byName, connectionOf, referenceOf } from '../../support/live-triggers.ts';

interface LogParams {
  consumerGroup: string;
  topic: readonly string[];
  lagThreshold: number;
  partitionLimitation: Ranges | undefined;
}

const logSource: Source<LogParams, { servers: string[] }, undefined, undefined> = {
  ...(hintSource as unknown as Source<LogParams, { servers: string[] }, undefined, undefined>),
  kind: 'log',
  params: {
    table: {
      consumerGroup: required(text({ doc: 'The consumer group.' })),
      topic: list({ doc: 'Topics.' }),
      lagThreshold: decimal({ doc: 'Lag.', fallback: 10, above: 0 }),
      partitionLimitation: ranges({ doc: 'Partitions.', most: 2 ** 31 - 1 }),
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

const world: World = {
  sources: [logSource, hintSource],
  connections: byName(connections),
  maxStalenessSeconds: 60,
  refuseSecretsFromEnv: false,
};

const good = { source: 'log', connection: 'orders', consumerGroup: 'billing' };

function parse(metadata: Record<string, string>, namespace = 'shop') {
  return resolve(referenceOf(metadata, 'worker', namespace), world);
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
  it('are trimmed, empty ones count as missing, and defaults are filled in', () => {
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

  it('lists and ranges follow KEDA', () => {
    const { params } = parse({ ...good, topic: 'a, b,,c', partitionLimitation: '1, 3-5' });
    expect(params).toMatchObject({
      topic: ['a', 'b', 'c'],
      partitionLimitation: [
        { from: 1, to: 1 },
        { from: 3, to: 5 },
      ],
    });
    expect(faultsOf({ ...good, partitionLimitation: '5-1' })).toContain('such as "1,3-5"');
    expect(faultsOf({ ...good, partitionLimitation: '2147483648' })).toContain('at most 2147483647');
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
  it('come all at once, each with its key', () => {
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

  it('between several keys are found', () => {
    expect(faultsOf({ ...good, topic: 'a,b', lagThreshold: '100' })).toContain('topic: too much');
  });

  it.each([
    [{}, 'source: is required'],
    [{ source: 'lgo' }, 'source: must be one of log, hinted, got "lgo" (did you mean "log"?)'],
    [{ ...good, policy: 'dran' }, 'policy: must be one of backlog, drain, got "dran"'],
  ])('%j', (metadata, fault) => {
    expect(faultsOf(metadata)).toContain(fault);
  });

  it('of an empty reference throw nothing else', () => {
    expect(() => resolve({ namespace: '', name: '', metadata: {} }, world)).toThrow(
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

  it('is found by a shared endpoint', () => {
    expect(parse({ ...unnamed, bootstrapServers: 'x:1, b:9092' }).connection.name).toBe('orders');
    expect(parse({ ...unnamed, bootstrapServers: 'c:9092' }).connection.name).toBe('audit');
    expect(faultsOf({ ...unnamed, bootstrapServers: 'evil:9092' })).toContain(
      'no connection of source log that namespace "shop" may use has bootstrapServers "evil:9092"; there are: orders, audit',
    );
  });

  it('may be left out if only one is open to the namespace', () => {
    expect(parse(unnamed, 'team-a').connection.name).toBe('orders');
    expect(faultsOf(unnamed)).toContain('connection: must be named, 2 fit: orders, audit');
    expect(faultsOf(unnamed, 'bank')).toContain(
      'there is no connection of source log that namespace "bank" may use',
    );
  });

  it('must agree with the keys that belong to it', () => {
    expect(faultsOf({ ...good, bootstrapServers: 'c:9092' })).toContain(
      'bootstrapServers: is not what connection "orders" has',
    );
  });

  it('of another namespace is PERMISSION_DENIED, and its name is not revealed', () => {
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

describe('a trigger', () => {
  it('has its own staleness limit, or that of its source, or that of the configuration', () => {
    expect(parse(good).maxStalenessMs).toBe(60_000);
    expect(parse({ ...good, maxStalenessSeconds: '5' }).maxStalenessMs).toBe(5_000);
    const slow = { ...logSource, maxStalenessSeconds: 900 };
    const changed = { ...world, sources: [slow], maxStalenessSeconds: 120 };
    expect(resolve(referenceOf(good), changed).maxStalenessMs).toBe(900_000);
    expect(resolve(referenceOf(good), { ...world, maxStalenessSeconds: 120 }).maxStalenessMs).toBe(120_000);
  });

  it('cannot ask for fresher readings than its connection has', () => {
    const slow = { ...logSource, leastStalenessSeconds: () => 90 };
    const changed = { ...world, sources: [slow] };
    const resolved = (metadata: Record<string, string>) =>
      resolve(referenceOf({ ...good, ...metadata }), changed);
    expect(() => resolved({ maxStalenessSeconds: '89' })).toThrow(
      /maxStalenessSeconds: must be at least 90 here, got 89: connection "orders" is not read often enough/,
    );
    expect(resolved({ maxStalenessSeconds: '90' }).maxStalenessMs).toBe(90_000);
    // A default is never the author's fault.
    expect(resolved({}).maxStalenessMs).toBe(90_000);
  });

  it('names the metric by its parts, never by thresholds', () => {
    expect(parse({ ...good, topic: 'orders.v1' }).metricName).toBe('log-billing-orders-v1');
    expect(parse({ ...good, topic: 'orders.v1', lagThreshold: '99' }).metricName).toBe(
      'log-billing-orders-v1',
    );
  });
});
