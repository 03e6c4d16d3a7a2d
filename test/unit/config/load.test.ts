import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anyAddress } from '../../../src/config/schema.ts';
import { ConfigFolder, faultsOf, loaded } from '../../support/config-folder.ts';

let folder: ConfigFolder;
beforeEach(async () => {
  folder = await ConfigFolder.make();
});
afterEach(() => folder.remove());

async function load(yaml: string, environment = {}) {
  await folder.write('config.yaml', yaml);
  return folder.load(environment);
}

const minimal = 'connections:\n  a: { source: place, address: here }\n';

describe('a valid configuration', () => {
  it('has the documented defaults', async () => {
    const { start, settings, connections } = loaded(await load(minimal));
    expect(start).toEqual({
      grpc: {
        host: anyAddress(),
        port: 6000,
        maxConnections: 256,
        maxStreams: 60_000,
        maxStreamsPerConnection: 40_000,
        maxCalls: 10_000,
      },
      admin: { host: anyAddress(), port: 8080, maxConnections: 128 },
      ingest: { host: anyAddress(), port: 8081, maxConnections: 1024 },
      eventLog: { type: 'memory', maxEvents: 20_000 },
    });
    expect(settings).toEqual({
      log: { level: 'info' },
      admin: {},
      ingest: {
        maxBodyBytes: 5_242_880,
        maxInflightBytes: 67_108_864,
        maxEventsPerSecond: 2_000,
        tokens: [],
      },
      limits: {
        triggers: 20_000,
        triggersPerNamespace: 2_000,
        metadataBytes: 33_554_432,
        metadataBytesPerNamespace: 4_194_304,
        refusedTriggers: 1_000,
        coldReadTimeoutMs: 2_000,
        maxStalenessSeconds: 60,
        leaseSeconds: 300,
        maxLeaseSeconds: 21_600,
        firstSyncTimeoutSeconds: 120,
      },
      surge: { enabled: true, surgesAtOnce: 2 },
      history: { hours: 6, bytes: 10_485_760 },
      security: { allowPlaintextSecrets: false },
      decisions: { maxQueued: 10_000, batchSize: 100, flushMs: 1000, timeoutMs: 10_000 },
    });
    expect(connections.get('a')).toMatchObject({ name: 'a', namespaces: ['*'], config: { address: 'here' } });
  });

  it('takes the given part and keeps the defaults of the rest', async () => {
    const { start } = loaded(await load(`${minimal}grpc: { port: 7000 }\n`));
    expect(start.grpc).toMatchObject({ host: anyAddress(), port: 7000, maxConnections: 256 });
  });

  it('may have no connections', async () => {
    expect(loaded(await load('connections: {}')).connections.size).toBe(0);
  });
});

describe('an invalid configuration', () => {
  it.each([
    ['', /config\.yaml is empty$/],
    ['just text', /config\.yaml must be a mapping of keys to values/],
    ['- a\n- b', /config\.yaml must be a mapping/],
    ['grpc: [1\nadmin: {}', /config\.yaml is not YAML: line 2, column \d+: /],
    ['a: 1\na: 2', /is not YAML: line 2, column 1: .*unique/],
    ['a: &x [*y]', /is not YAML/],
    ['a: 1\n---\nb: 2', /is not YAML: line \d/],
    ['connections', /must be a mapping/],
    [
      'config: { connections: {} }',
      /holds the chart's values: give what is below `config`, such as `yq \.config/,
    ],
  ])('%j', async (yaml, message) => {
    const faults = faultsOf(await load(yaml));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(message);
  });

  it('is reported as missing if the file does not exist', async () => {
    expect(faultsOf(await folder.load())).toEqual([`${folder.file} does not exist`]);
  });

  it('does not expand aliases endlessly', async () => {
    const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 9; i += 1)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(',')}]`,
      );
    expect(faultsOf(await load(lines.join('\n')))[0]).toContain('aliases cannot be resolved');
  });

  it('is never quoted if it could not be read', async () => {
    const faults = faultsOf(await load('password: "hunter2\nconnections: {}\n'));
    expect(faults.join()).not.toContain('hunter2');
  });

  it.each([
    [`${minimal}grcp: {}`, 'grcp: unknown key (did you mean "grpc"?)'],
    [`${minimal}kubernetes: {}`, 'kubernetes: unknown key'],
    [`${minimal}grpc: { prot: 1 }`, 'grpc.prot: unknown key (did you mean "port"?)'],
    [`${minimal}grpc: { port: 70000 }`, 'grpc.port: must be at most 65535'],
    [`${minimal}grpc: { port: 1.5 }`, 'grpc.port: must be a whole number'],
    [`${minimal}grpc: { port: "6000" }`, 'grpc.port: must be a number'],
    [`${minimal}grpc: 5`, 'grpc: must be a mapping of keys to values'],
    [
      `${minimal}log: { level: loud }`,
      'log.level: must be one of trace, debug, info, warn, error, fatal, silent',
    ],
    [`${minimal}limits: { maxStalenessSeconds: 0 }`, 'limits.maxStalenessSeconds: must be more than 0'],
    [`${minimal}limits: { leaseSeconds: 30000 }`, 'limits.maxLeaseSeconds: must be at least leaseSeconds'],
    // A longer timer would fire at once.
    [
      `${minimal}limits: { firstSyncTimeoutSeconds: 9999999 }`,
      'limits.firstSyncTimeoutSeconds: must be at most 2147483',
    ],
    [
      `${minimal}limits: { coldReadTimeoutMs: 9999999999 }`,
      'limits.coldReadTimeoutMs: must be at most 2147483647',
    ],
    [`${minimal}decisions: { flushMs: 9999999999 }`, 'decisions.flushMs: must be at most 2147483647'],
    [`${minimal}decisions: { timeoutMs: 9999999999 }`, 'decisions.timeoutMs: must be at most 2147483647'],
    [`${minimal}admin: { token: a }`, 'admin.token: must be at least 16 characters long'],
    [
      `${minimal}ingest: { maxBodyByts: 1 }`,
      'ingest.maxBodyByts: unknown key (did you mean "maxBodyBytes"?)',
    ],
    [`${minimal}ingest: { maxBodyBytes: 10 }`, 'ingest.maxBodyBytes: must be at least 1024'],
    [
      `${minimal}ingest: { maxInflightBytes: 2048 }`,
      'ingest.maxInflightBytes: must be at least maxBodyBytes',
    ],
    [`${minimal}eventLog: { type: redis }`, 'eventLog.type: must be one of memory, file, nats'],
    [`${minimal}eventLog: { maxEvents: 5 }`, 'eventLog.type: is required'],
    [`${minimal}eventLog: { type: memory, maxEvents: 0 }`, 'eventLog.maxEvents: must be at least 1'],
    ['log: {}', 'connections: is required'],
    ['connections:', 'connections: must be a mapping of keys to values'],
    ['connections: { a: 5 }', 'connections.a: must be a mapping of keys to values'],
    ['connections: { a: { address: x } }', 'connections.a.source: is required'],
    [
      'connections: { a: { source: plase } }',
      'connections.a.source: must be one of place, kafka (did you mean "place"?)',
    ],
    ['connections: { a: { source: place } }', 'connections.a.address: is required'],
    [
      'connections: { a: { source: place, adress: x, address: x } }',
      'connections.a.adress: unknown key (did you mean "address"?)',
    ],
    [
      'connections: { a: { source: place, address: x, namespace: [b] } }',
      'connections.a.namespace: unknown key (did you mean "namespaces"?)',
    ],
    [
      'connections: { a: { source: place, address: x, paswordFile: b } }',
      'connections.a.paswordFile: unknown key (did you mean "passwordFile"?)',
    ],
    [
      'connections: { a: { source: place, address: x, tls: false } }',
      'connections.a.tls: must be true, or must be a mapping of keys to values',
    ],
    [
      'connections: { a: { source: place, address: x, tls: { verifi: false } } }',
      'connections.a.tls.verifi: unknown key (did you mean "verify"?)',
    ],
    [
      'connections: { a: { source: place, address: x, namespaces: [Shop] } }',
      'connections.a.namespaces[0]: must be a namespace, or a pattern such as "team-*"',
    ],
    [
      'connections: { a: { source: place, address: x, namespaces: [] } }',
      'connections.a.namespaces: must be at least 1 item long',
    ],
    [
      'connections: { "a b": { source: place, address: x } }',
      'connections.a b: this name must be letters, digits, ".", "_" and "-", at most 63',
    ],
    [
      'connections: { k: { source: kafka, bootstrapServers: ["b:9092"], sasl: { mechanism: gssapi } } }',
      'connections.k.sasl.mechanism: must be one of plain, scram-sha-256, scram-sha-512, oauthbearer, aws-msk-iam',
    ],
    [
      'connections: { k: { source: kafka, bootstrapServers: ["b:9092"], tls: { insecureSkipVerfy: true } } }',
      'connections.k.tls.insecureSkipVerfy: unknown key (did you mean "insecureSkipVerify"?)',
    ],
    [
      'connections: { k: { source: kafka, bootstrapServers: ["b:9092"], ca: a } }',
      'connections.k.ca: unknown key (did you mean "tls.ca"?)',
    ],
    [
      'connections: { a: { source: place, address: x, password: open sesame } }',
      'connections.a: would send its password or token without TLS: set tls, or set security.allowPlaintextSecrets',
    ],
    [
      'connections: { a: { source: place, address: "http://x/t", password: open sesame } }',
      'connections.a: would send its password or token without TLS: write https:// in address, or set security.allowPlaintextSecrets',
    ],
    [
      'connections: { k: { source: kafka, bootstrapServers: ["b:9092"], sasl: { mechanism: oauthbearer, tokenEndpoint: "https://x/t", clientId: a, clientSecret: b, username: c } } }',
      'connections.k.sasl.username: is not used with mechanism oauthbearer',
    ],
    [
      'connections: { k: { source: kafka, bootstrapServers: ["b:9092"], tls: enable } }',
      'connections.k.tls: must be true, or a mapping such as { caFile: ca.crt }',
    ],
  ])('%s', async (yaml, fault) => {
    expect(faultsOf(await load(yaml))).toEqual([fault]);
  });

  it('has all its faults named at once, of every part', async () => {
    const yaml = [
      'grpc: { prot: 1, port: x }',
      'connections:',
      '  a: { source: place, tls: 5, colour: red }',
      '  b: { source: plase }',
      '  c: { source: place, address: "${MISSING}", passwordFile: not-there }',
      '',
    ].join('\n');
    expect(faultsOf(await load(yaml))).toEqual([
      'connections.c.address: the environment variable MISSING is not set',
      expect.stringMatching(/^connections\.c\.passwordFile: the file \/.*\/not-there does not exist$/),
      'grpc.port: must be a number',
      'grpc.prot: unknown key (did you mean "port"?)',
      'connections.a.address: is required',
      'connections.a.tls: must be true, or must be a mapping of keys to values',
      'connections.a.colour: unknown key',
      'connections.b.source: must be one of place, kafka (did you mean "place"?)',
    ]);
  });
});

it('lets a connection send its password in plaintext if that is allowed', async () => {
  const yaml =
    'security: { allowPlaintextSecrets: true }\nconnections: { a: { source: place, address: x, password: open sesame } }';
  expect(loaded(await load(yaml)).connections.size).toBe(1);
});

describe('a connection', () => {
  const connection = async (entry: string) =>
    loaded(await load(`connections: { a: { source: place, ${entry} } }`)).connections.get('a');
  const print = async (entry: string) => (await connection(entry))?.fingerprint;
  const place = async (entry: string) => (await connection(entry))?.place;

  it('has a fingerprint of what its upstream sees, independent of the order of keys', async () => {
    const first = await print('address: x, password: secret');
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await print('password: secret, address: x')).toBe(first);
    expect(await print('address: x, password: other')).not.toBe(first);
    expect(await print('address: y, password: secret')).not.toBe(first);
    expect(await print('address: x, password: secret, namespaces: [b]')).toBe(first);
    expect(await print('address: x, password: secret, port: 5')).toBe(first);
  });

  it('has the same place as long as its source measures the same thing', async () => {
    const first = await place('address: x, password: secret');
    expect(await place('address: x, password: other, tls: true, namespaces: [b]')).toBe(first);
    expect(await place('address: y, password: secret')).not.toBe(first);
  });
});

describe('any address', () => {
  const address = { address: '', netmask: '', mac: '', internal: true, cidr: null } as const;
  const v4 = { ...address, family: 'IPv4' } as const;
  const v6 = { ...address, family: 'IPv6', scopeid: 0 } as const;

  it('means both families if the machine has an IPv6 address', () => {
    expect(anyAddress({ lo: [v4, v6] })).toBe('::');
    expect(anyAddress({ lo: [v6] })).toBe('::');
  });

  it('means IPv4 if it has none', () => {
    expect(anyAddress({ lo: [v4], eth0: [v4] })).toBe('0.0.0.0');
  });
});

it('says at which line each fault is, or at the nearest key above it', async () => {
  const yaml = [
    'common: &orders',
    '  source: place',
    '  adress: here',
    'connections:',
    '  a: *orders',
    '  b:',
    '    source: kafka',
    '    namespaces: [shop,',
    '      Bank]',
    '    bootstrapServers: ["k:9092"]',
    '    sasl:',
    '      mechanism: plain',
    '      passwordFile: nowhere',
    'grpc: { port: many }',
  ];
  const result = await load(yaml.join('\n'));
  const faults = result.kind === 'refused' ? result.faults : [];
  expect(faults.map(({ line, message }) => [line, /^[\w.[\]]+/.exec(message)?.[0]])).toEqual([
    [13, 'connections.b.sasl.passwordFile'],
    [14, 'grpc.port'],
    [9, 'connections.b.namespaces[1]'],
    [1, 'common'],
    [5, 'connections.a.address'],
    [3, 'connections.a.adress'],
    [11, 'connections.b.sasl.username'],
  ]);
});
