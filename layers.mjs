// Which part of the code may import which. `npm run lint` checks it with dependency-cruiser. Types count as imports.
import { readdirSync } from 'node:fs';

const upwards = [
  'errors.ts',
  'clock.ts',
  'retry.ts',
  'waiters.ts',
  'turns.ts',
  'json.ts',
  'printable.ts',
  'server-name.ts',
  'outbound',
  'telemetry',
];

/** Each source has a folder, and may import nothing from another source. */
const eachSource = Object.fromEntries(
  readdirSync(new URL('src/sources', import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => [
      `sources/${name}`,
      [
        ...upwards,
        'aws-endpoints.ts',
        'params',
        'sources/source.ts',
        'sources/inbound.ts',
        'sources/working.ts',
        'sources/ignored-keys.ts',
      ],
    ]),
);

/** Each folder and file of src, and what it may import from the rest of src. A part without a row may import nothing. */
const parts = {
  'errors.ts': [],
  'clock.ts': [],
  'retry.ts': [],
  'waiters.ts': ['clock.ts'],
  'turns.ts': [],
  'json.ts': [],
  'printable.ts': [],
  'placeholders.ts': [],
  'server-name.ts': [],
  'package.ts': [],
  'aws-endpoints.ts': [],
  'bearer.ts': [],
  'sockets.ts': [],
  outbound: ['errors.ts', 'printable.ts', 'server-name.ts'],
  telemetry: ['printable.ts'],
  params: ['printable.ts'],
  'sources/working.ts': ['printable.ts'],
  'sources/inbound.ts': ['errors.ts'],
  'sources/source.ts': [...upwards, 'params', 'sources/inbound.ts', 'sources/working.ts'],
  'sources/ignored-keys.ts': ['sources/source.ts'],
  ...eachSource,
  'sources/index.ts': ['sources'],
  scaling: ['errors.ts', 'sources/source.ts'],
  subjects: [...upwards, 'scaling', 'sources/inbound.ts', 'sources/source.ts'],
  triggers: [...upwards, 'params', 'scaling', 'subjects', 'sources/source.ts', 'sources/working.ts'],
  scaledobjects: [
    'errors.ts',
    'placeholders.ts',
    'printable.ts',
    'params',
    'scaling',
    'sources/source.ts',
    'triggers',
  ],
  explain: [
    'errors.ts',
    'printable.ts',
    'params',
    'scaling',
    'scaledobjects',
    'sources/source.ts',
    'sources/working.ts',
    'triggers',
    'grpc/service.ts',
    'grpc/status.ts',
  ],
  simulation: [
    'errors.ts',
    'printable.ts',
    'params',
    'explain',
    'scaling',
    'scaledobjects',
    'sources/source.ts',
    'triggers',
  ],
  decisions: [...upwards, 'config/schema.ts', 'triggers'],
  pods: [...upwards, 'sources/source.ts', 'triggers/other-pods.ts'],
  'event-log': [...upwards, 'pods', 'sources/inbound.ts'],
  ingest: [
    ...upwards,
    'aws-endpoints.ts',
    'bearer.ts',
    'sockets.ts',
    'config',
    'event-log',
    'sources/inbound.ts',
    'sources/source.ts',
  ],
  grpc: [...upwards, 'package.ts', 'sockets.ts', 'scaling', 'triggers'],
  admin: [...upwards, 'bearer.ts', 'explain', 'package.ts', 'sockets.ts', 'scaling', 'triggers'],
  config: [...upwards, 'placeholders.ts', 'params', 'sources/source.ts'],
  'lifecycle.ts': ['telemetry'],
  'scaler.ts': ['.'],
  cli: ['.'],
  'main.ts': ['cli', 'node-version.ts'],
};

/** Each package, and the parts that may import it. */
const packages = {
  '@aws-sdk/core': ['aws-endpoints.ts'],
  '@aws-sdk/client-sqs': ['sources/sqs'],
  '@aws-sdk/credential-providers': ['sources/sqs', 'sources/kafka'],
  '@smithy/node-http-handler': ['outbound'],
  '@grpc/grpc-js': ['grpc'],
  '@grpc/proto-loader': ['grpc'],
  '@grpc/reflection': ['grpc'],
  '@opentelemetry/api': ['telemetry'],
  'aws-msk-iam-sasl-signer-js': ['sources/kafka'],
  'classic-level': ['event-log'],
  cloudevents: ['ingest', 'decisions'],
  '@nats-io': ['outbound', 'pods', 'event-log', 'sources/nats'],
  'http-proxy-agent': ['outbound'],
  'https-proxy-agent': ['outbound'],
  'proxy-from-env': ['outbound'],
  fastify: ['admin', 'ingest'],
  'grpc-health-check': ['grpc'],
  kafkajs: ['sources/kafka'],
  'lru-cache': ['ingest', 'sources'],
  'p-limit': ['sources'],
  pino: ['telemetry'],
  'prom-client': ['telemetry'],
  uplot: ['admin/page'],
  yaml: ['config', 'scaledobjects', 'cli'],
  zod: [
    'cli',
    'config',
    'decisions',
    'event-log',
    'ingest',
    'outbound',
    'params',
    'pods',
    'sources',
    'triggers',
    'package.ts',
  ],
};

/** Rules and ledgers depend only on their arguments, so they may import nothing from Node, and no package but zod. */
const pure = [
  'src/(errors|clock|retry|printable|server-name)\\.ts',
  'src/(params|scaling)/',
  'src/sources/[^/]+/rules/',
  'src/pods/lease-rules\\.ts',
  'src/sources/.*/(backlog|lag|history|pace|rates|select)\\.ts$',
];

const escaped = (path) => path.replaceAll('.', '\\.');
/** Matches the part itself and everything in it. */
const inside = (part) => (part === '.' ? '^src/' : `^src/${escaped(part)}(/|$)`);
const ofPackage = (name) => `(^|/)node_modules/${escaped(name)}/`;
const anyPart = Object.keys(parts).map(inside);

export default {
  forbidden: [
    ...Object.entries(parts).map(([part, others]) => ({
      name: `imports-of-${part}`,
      severity: 'error',
      comment: `${part} may import of src: ${others.join(', ') || 'nothing'}`,
      from: { path: inside(part) },
      to: { path: '^src/', pathNot: [inside(part), ...others.map(inside)] },
    })),
    ...Object.entries(packages).map(([name, users]) => ({
      name: `users-of-${name}`,
      severity: 'error',
      comment: `only ${users.join(', ')} may import ${name}`,
      from: { path: '^src/', pathNot: users.map(inside) },
      to: { path: ofPackage(name) },
    })),
    {
      name: 'browser',
      severity: 'error',
      comment: 'what runs in the browser imports nothing but what does',
      from: { path: '^src/admin/page/' },
      to: { pathNot: ['^src/admin/page/', ofPackage('uplot')] },
    },
    {
      name: 'part-without-a-row',
      severity: 'error',
      comment: 'a new folder or file of src needs a row in layers.mjs',
      from: { path: '^src/', pathNot: anyPart },
      to: {},
    },
    {
      name: 'package-without-a-row',
      severity: 'error',
      comment: 'a new package needs a row in layers.mjs',
      from: { path: '^src/' },
      to: { path: '(^|/)node_modules/', pathNot: Object.keys(packages).map(ofPackage) },
    },
    {
      name: 'not-found',
      severity: 'error',
      from: { path: '^(src|fakes|demo)/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'pure',
      severity: 'error',
      comment: 'it is pure: no input or output, no clock, no package but zod',
      from: { path: pure.map((path) => `^${path}`) },
      to: { path: '(^|/)node_modules/', pathNot: ofPackage('zod') },
    },
    {
      name: 'pure-without-node',
      severity: 'error',
      comment: "it is pure: nothing of Node's",
      from: { path: pure.map((path) => `^${path}`) },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'product',
      severity: 'error',
      comment: 'what is shipped does not stand on fakes, demo, tests or bench',
      from: { path: '^src/' },
      to: { path: '^(fakes|demo|test|bench)/' },
    },
    {
      name: 'fakes',
      severity: 'error',
      comment: 'tests, bench and demo stand on fakes, not the other way',
      from: { path: '^fakes/' },
      to: { path: '^(demo|test|bench)/' },
    },
    {
      name: 'demo',
      severity: 'error',
      comment: 'the demo needs nothing of the tests',
      from: { path: '^demo/' },
      to: { path: '^(test|bench)/' },
    },
  ],
  options: {
    parser: 'swc',
    moduleSystems: ['es6'],
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/grpc/generated/' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      conditionNames: ['node', 'import', 'default'],
      exportsFields: ['exports'],
    },
  },
};
