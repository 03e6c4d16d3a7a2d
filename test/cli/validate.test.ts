import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sources } from '../../src/sources/index.ts';
import { chartFaults, parseChartValues } from '../support/chart-values.ts';
import { mistakes, rightConfig, rightJob, rightObject, written } from '../support/mistakes.ts';
import { publicShapes } from '../support/public-shapes.ts';
import { runHere } from '../support/run-here.ts';

let folder = '';
const at = (name: string): string => join(folder, name);
const wrong = written(mistakes[0] ?? expect.fail());
const warned = written(mistakes.find(({ severity }) => severity === 'warning') ?? expect.fail());
const unready = rightConfig.replace('token: a-token-that-nobody-knows', 'tokenFile: /nowhere/token');
const configMap = `kind: ConfigMap\napiVersion: v1\ndata:\n  config.yaml: |\n${rightConfig.replaceAll(/^/gm, '    ')}`;
const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '  ');
const mountedConfig = unready.replace('/nowhere/', '/etc/backlog-scaler-github/');
const shared = rightConfig.replace('kafka-0.bank:9092', 'KAFKA-0.kafka:9092, kafka-1.kafka:9092');
const hiddenConfig = rightConfig.replace('token: a-token-that-nobody-knows', 'tokenFile: token');
const valuesWith = (secretMounts: string): string =>
  `config:\n${indented(mountedConfig)}secretMounts: ${secretMounts}\n`;
const secretVariables = [
  ...Array.from({ length: 21 }, (_, i) => ({ name: `s${i}`, key: 'a' })),
  { name: 's0', key: 'b' },
].map((secretKeyRef, i) => ({ name: `V${i}`, valueFrom: { secretKeyRef } }));
const builtIn = publicShapes[0]?.yaml ?? '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backlog-scaler-validate-'));
  await mkdir(at('sub/.hidden'), { recursive: true });
  for (const name of ['outside', 'chart', 'meant']) await mkdir(at(name));
  const files = {
    'right.yaml': rightObject,
    'warned.yaml': warned,
    'config.yaml': rightConfig,
    token: 'a-token-that-nobody-knows',
    'secret.yaml': `config:\n${indented(rightConfig)}`,
    'unfilled.yaml': rightConfig.replace('a-token-that-nobody-knows', 'TO-BE-FILLED-IN'),
    'unready.yaml': unready,
    'unset.yaml': rightConfig.replace('a-token-that-nobody-knows', '${NOWHERE_SET}'),
    'values.yaml': `replicaCount: 1\nconfig:\n${indented(hiddenConfig)}`,
    'mounted.yaml': valuesWith('[{ name: github, secretName: runners }]'),
    'items.yaml': valuesWith('[{ name: github, secretName: runners, items: [{ key: pat, path: token }] }]'),
    'elsewhere.yaml': valuesWith('[{ name: git, secretName: runners }]'),
    'renamed.yaml': valuesWith('[{ name: github, secretName: runners, items: [{ key: token, path: pat }] }]'),
    'own-volume.yaml': `${valuesWith('[]')}extraVolumeMounts: [{ name: a, mountPath: /etc/backlog-scaler-github/ }]\n`,
    'unmounted.yaml': valuesWith('[]').replace('/etc/backlog-scaler-github', '/run/secrets'),
    'logged.yaml': `config:\n  eventLog: { type: file }\n${indented(hiddenConfig)}`,
    'tls.yaml': `config:\n${indented(hiddenConfig)}tls: { enabled: true, existingSecret: a }\n`,
    'replicas.yaml': `replicaCount: 3\nconfig:\n${indented(hiddenConfig)}`,
    'autoscaled.yaml': `config:\n${indented(hiddenConfig)}ingest: { enabled: true }\nautoscaling:\n  enabled: true\n`,
    'pods.yaml': `replicaCount: 3\nconfig:\n  eventLog: { type: nats, servers: [tls://nats.nats:4222] }\n${indented(hiddenConfig)}`,
    'no-tls.yaml': rightConfig.replace('namespaces: [shop]', 'caFile: token'),
    'typo.yaml': `replicaCont: 3\nconfig:\n${indented(hiddenConfig)}`,
    'open.yaml': shared.replace('    namespaces: [shop]\n', ''),
    'one-login.yaml': shared.replace(
      /( *)namespaces: \[(?:shop|bank)\]\n/g,
      '$&$1sasl: { mechanism: plain, username: a, passwordFile: token }\n',
    ),
    'open-to-all.yaml': shared.replace('[shop]', '["*"]'),
    'tls-unready.yaml': `${valuesWith('[{ name: github, secretName: runners }]')}tls: { enabled: true, existingSecret: a }\n`,
    'clients.yaml': `config:\n${indented(hiddenConfig)}tls: { enabled: true, existingSecret: a, clientCaSecret: b }\n`,
    'at-top.yaml': `secretMounts: [{ name: a, secretName: a }]\n${hiddenConfig}`,
    'at-top-too.yaml': `config: {}\n${hiddenConfig}`,
    'mutual.yaml': `config:\n${indented(hiddenConfig)}tls: { enabled: true, certManager: { enabled: true } }\n`,
    'called-by-tls.yaml': `${rightObject}      authenticationRef: { name: backlog-scaler, kind: ClusterTriggerAuthentication }\n`,
    'enabled-tls.yaml': rightObject.replace('source:', 'enableTLS: "true"\n        source:'),
    'rendered.yaml': `---\nkind: Service\napiVersion: v1\n---\n${configMap}`,
    'config-map.yaml': configMap,
    'billing.yaml': rightObject.replace('namespace: shop', 'namespace: billing'),
    'ci.yaml': rightObject
      .replace('namespace: shop', 'namespace: ci')
      .replace('connection: orders', 'connection: ci'),
    'order.yaml': rightObject.replace('connection: orders', 'connection: order'),
    'unnamed.yaml': rightObject
      .replace('namespace: shop', 'namespace: billing')
      .replace(/ *connection: orders\n/, ''),
    'late.yaml': `${rightConfig}admin:\n  port: 8080\n  tokn: x\n  tokenFile: /nowhere/token\n`,
    'broken.yaml': 'connections: { orders: { source: kafak } }\n',
    'none.yaml': 'kind: ConfigMap\napiVersion: v1\n',
    'deep.yaml': `${'['.repeat(100_000)}\n`,
    'bytes.yaml': Buffer.from([0xff, 0xfe, 0x00]),
    'large.yaml': `# ${'x'.repeat(5 * 1024 * 1024)}\n`,
    'sub/b.yml': wrong,
    'sub/a.yaml': rightObject,
    'sub/.hidden/c.yaml': wrong,
    'sub/none.txt': wrong,
    'outside/d.yaml': wrong,
    'chart/alert.yaml':
      'groups:\n  - rules: [{ alert: A, annotations: { summary: a ScaledObject is wrong } }]\n',
    'chart/values.yaml': '# of every ScaledObject\n- target: { kind: ScaledObject }\n',
    'chart/right.yaml': rightObject,
    'built-in.yaml': builtIn,
    'secrets.yaml': rightJob
      .replace('image: runner:1', `env: ${JSON.stringify(secretVariables)}`)
      .replace('owner: acme', 'connection: ci'),
    'runner.yaml': rightJob
      .replace('image: runner:1', 'env: [{ name: ORG_NAME, value: other }]')
      .replace('owner: acme', 'connection: ci'),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(at(name), text);
  await symlink(at('outside/d.yaml'), at('sub/link.yaml'));
  await symlink(at('sub'), at('sub/loop'));
});

afterAll(() => rm(folder, { recursive: true }));

async function run(args: readonly string[], input?: string) {
  const { code, stdout, stderr } = await runHere(args, input === undefined ? {} : { input });
  return { code, stdout: stdout.replaceAll(`${folder}/`, ''), stderr: stderr.replaceAll(`${folder}/`, '') };
}

describe('backlog-scaler validate', () => {
  it.each([
    ['right', ['-f', 'right.yaml'], 0, /^1 ScaledObject, 0 ScaledJobs; 1 trigger; 0 errors, 0 warnings$/m],
    ['its name alone', ['right.yaml'], 0, /Left open: the connections of 1 trigger; --config/],
    ['with its configuration', ['right.yaml', '--config', 'config.yaml'], 0, /0 warnings\n$/],
    ['a warning', ['warned.yaml'], 0, /^warned\.yaml:\d+: warning: /m],
    ['a warning, strictly', ['warned.yaml', '--strict'], 2, /1 warning$/m],
    [
      'a folder',
      ['sub'],
      2,
      /^sub\/b\.yml:18: error: ScaledObject shop\/order-workers, triggers\[0\]: "lagTreshold"/m,
    ],
    ['the configuration alone', ['--config', 'config.yaml'], 0, /0 errors/],
    [
      'a broken configuration',
      ['--config', 'broken.yaml'],
      2,
      /source: must be one of .*did you mean "kafka"/,
    ],
    [
      'one without its secrets',
      ['--config', 'unready.yaml'],
      0,
      /0 errors, 0 warnings\nLeft open: unready\.yaml:13: connections\.ci\.tokenFile: the file \/nowhere\/token does not exist\n$/,
    ],
    [
      'one without its secrets, strictly',
      ['right.yaml', '--config', 'unready.yaml', '--strict'],
      0,
      /0 errors, 0 warnings\nLeft open: unready\.yaml:13: connections\.ci\.tokenFile: the file/,
    ],
    [
      'one without a variable, strictly',
      ['--config', 'unset.yaml', '--strict'],
      0,
      /^Left open: unset\.yaml:13: connections\.ci\.token: the environment variable NOWHERE_SET is not set$/m,
    ],
    [
      'one without its secrets, for GitHub',
      ['--config', 'unready.yaml', '--strict', '--output=github'],
      0,
      /^0 ScaledObjects, .*\nLeft open: unready\.yaml:13: connections\.ci\.tokenFile: the file \/nowhere\/token does not exist\n$/,
    ],
    [
      'triggers with a configuration without its secrets',
      ['right.yaml', '--config', 'unready.yaml'],
      0,
      /0 warnings\nLeft open: unready\.yaml:13: connections\.ci\.tokenFile: the file .*\n$/,
    ],
    [
      'runners of another owner, without secrets',
      ['runner.yaml', '--config', 'unready.yaml'],
      0,
      /^runner\.yaml:\d+: warning: .*: connection: counts jobs of "acme", and the runners register with ORG_NAME "other"/m,
    ],
    [
      'a trigger of another namespace, without secrets',
      ['billing.yaml', '--config', 'unready.yaml'],
      2,
      /^billing\.yaml:\d+: error: .*: connection "orders" may not be used from namespace "billing"/m,
    ],
    [
      'a trigger of another source, without secrets',
      ['ci.yaml', '--config', 'unready.yaml'],
      2,
      /error: .*connection: "ci" is of source github, the trigger's is kafka/,
    ],
    [
      'a connection that is not there, without secrets',
      ['order.yaml', '--config', 'unready.yaml'],
      2,
      /error: .*connection: "order" is not configured \(did you mean "orders"\?\)/,
    ],
    [
      'a trigger that names no connection and may use none, without secrets',
      ['unnamed.yaml', '--config', 'unready.yaml'],
      2,
      /error: .*connection: there is no connection of source kafka that namespace "billing" may use/,
    ],
    [
      'a configuration that is wrong as well as without its secrets',
      ['--config', 'late.yaml'],
      2,
      /^late\.yaml:17: error: admin\.tokn: unknown key.*\n(?:.*\n)*Left open: late\.yaml:18: admin\.tokenFile: the file/m,
    ],
    ["the chart's values", ['right.yaml', '--config', 'values.yaml', '--strict'], 0, /0 warnings\n$/],
    ["the chart's values, with an event log", ['--config', 'logged.yaml', '--strict'], 0, /0 warnings\n/],
    [
      "the chart's values, with a Secret for their file",
      ['right.yaml', '--config', 'mounted.yaml', '--strict'],
      0,
      /0 warnings\nLeft open: whether Secret runners has token\n$/,
    ],
    [
      'a file by another name than its key',
      ['--config', 'items.yaml', '--strict'],
      0,
      /^Left open: whether Secret runners has pat$/m,
    ],
    [
      'a file of an own volume',
      ['--config', 'own-volume.yaml', '--strict'],
      0,
      /^Left open: .*github\/token must be in the volume at \/etc\/backlog-scaler-github$/m,
    ],
    [
      'a file whose Secret is mounted elsewhere',
      ['--config', 'elsewhere.yaml'],
      0,
      /^elsewhere\.yaml:14: warning: connections\.ci\.tokenFile: nothing is mounted at \/etc\/backlog-scaler-github\/token: add { name: github, secretName: SECRET } to secretMounts; mounted are \/etc\/backlog-scaler-git\n/,
    ],
    [
      'a file that no Secret holds, strictly',
      ['--config', 'unmounted.yaml', '--strict'],
      2,
      /warning: connections\.ci\.tokenFile: nothing is mounted at \/run\/secrets\/token: add { name: NAME, secretName: SECRET, mountPath: \/run\/secrets } to secretMounts\n/,
    ],
    [
      'a file that the items of its Secret lack',
      ['--config', 'renamed.yaml'],
      0,
      /warning: connections\.ci\.tokenFile: Secret runners makes no file \/etc\/backlog-scaler-github\/token: items has pat\n/,
    ],
    [
      'more pods than the chart takes',
      ['--config', 'replicas.yaml'],
      2,
      /^replicas\.yaml:1: error: replicaCount: must be 1 because of connection ci, or set config\.eventLog\.type: nats$/m,
    ],
    [
      'more pods by autoscaling',
      ['--config', 'autoscaled.yaml'],
      2,
      /^autoscaled\.yaml:\d+: error: autoscaling\.maxReplicas: must be 1 because of ingest, connection ci, or/m,
    ],
    ['more pods with their event log', ['--config', 'pods.yaml', '--strict'], 0, /0 errors, 0 warnings\n/],
    [
      'a secret in plain text, which the chart refuses',
      ['--config', 'secret.yaml'],
      2,
      /^secret\.yaml:14: error: config\.connections\.ci\.token: a secret cannot be in a ConfigMap; write tokenFile with a path in secretMounts, or \$\{NAME\} with extraEnv$/m,
    ],
    [
      'a CA beside tls',
      ['--config', 'no-tls.yaml'],
      2,
      /^no-tls\.yaml:5: error: connections\.orders\.caFile: unknown key \(did you mean "tls\.caFile"\?\)$/m,
    ],
    [
      'a key that the chart does not have',
      ['--config', 'typo.yaml'],
      2,
      /^typo\.yaml:1: error: replicaCont: unknown key \(did you mean "replicaCount"\?\)$/m,
    ],
    [
      'a connection that any namespace may use, beside one of some',
      ['--config', 'open.yaml', '--strict'],
      2,
      /^open\.yaml:2: warning: connections\.orders: has no namespaces, so .* where connection payments measures: write namespaces/m,
    ],
    [
      'one login for two tenants, whose password is here',
      ['--config', 'one-login.yaml', '--strict'],
      2,
      /^one-login\.yaml:7: warning: connections\.payments: logs in with a file of connection orders/m,
    ],
    ['one that says so', ['--config', 'open-to-all.yaml', '--strict'], 0, /0 warnings\n$/],
    ['TLS of the chart, which triggers must use', ['right.yaml', '--config', 'tls.yaml'], 2, /error: .*TLS/],
    [
      'TLS of the chart, without its secrets',
      ['right.yaml', '--config', 'tls-unready.yaml'],
      2,
      /error: .*authenticationRef: is missing: .*TLS/,
    ],
    [
      'a trigger as the chart’s notes have it, strictly',
      ['called-by-tls.yaml', '--config', 'tls-unready.yaml', '--strict'],
      0,
      /0 errors, 0 warnings\n/,
    ],
    [
      'certificates of no issuer',
      ['--config', 'mutual.yaml'],
      2,
      /^mutual\.yaml:\d+: error: tls\.certManager\.issuerRef\.name: is required: name the issuer$/m,
    ],
    [
      'a trigger without a client certificate',
      ['enabled-tls.yaml', '--config', 'mutual.yaml'],
      2,
      /error: .*authenticationRef: is missing: the scaler takes only calls with a client certificate/,
    ],
    [
      'an authority whose every certificate may call, and the Secrets of TLS',
      ['--config', 'clients.yaml', '--strict'],
      2,
      /^clients\.yaml:16: warning: tls\.clientCaSecret: every [\s\S]*^Left open: whether Secret a has tls\.crt, tls\.key\nLeft open: whether Secret b has ca\.crt$/m,
    ],
    [
      'connections beside values of the chart',
      ['--config', 'at-top.yaml'],
      2,
      /error: \S+ holds the chart's values \(secretMounts\): put `connections` below `config`\n0 .*1 error/,
    ],
    [
      'connections beside config',
      ['--config', 'at-top-too.yaml'],
      2,
      /^at-top-too\.yaml:2: error: connections: put `connections` below `config`$/m,
    ],
    [
      'what helm template prints',
      ['--config', 'rendered.yaml'],
      2,
      /^rendered\.yaml:1: error: \S+ holds manifests of Kubernetes: give the configuration alone.*\n0 ScaledObjects.*1 error,/m,
    ],
    ['a ConfigMap', ['--config', 'config-map.yaml'], 2, /1: error: \S+ holds manifests of Kubernetes/],
    [
      'a configuration as convert left it',
      ['--config', 'unfilled.yaml'],
      2,
      /error: \S+token: is still TO-BE-FILLED-IN: write its value there$/m,
    ],
    [
      'Secrets of runners, and a login by name',
      ['secrets.yaml', 'called-by-tls.yaml', '--config', 'unready.yaml'],
      0,
      /^Left open: whether there is Secret ci\/s0 \(a, b\), Secret ci\/s1 \(a\), .*Secret ci\/s18 \(a\), Secret ci\/s19 \(a\), 2 more$/m,
    ],
    ['nothing to check', ['none.yaml'], 2, /none\.yaml:1: error: holds no ScaledObject or ScaledJob/],
    ['nothing to check, allowed', ['none.yaml', '--allow-none'], 0, /0 errors/],
    ['no file', ['nowhere.yaml'], 2, /nowhere\.yaml:1: error: does not exist/],
    ['deep nesting', ['deep.yaml'], 2, /deep\.yaml:1: error: /],
    ['no text', ['bytes.yaml'], 2, /is not UTF-8 text/],
    ['5 MB', ['large.yaml'], 2, /is larger than 5242880 bytes/],
  ] as const)('%s', async (_, args, code, says) => {
    const paths = args.map((arg) => (/^[a-z]/.test(arg) ? at(arg) : arg));
    const result = await run(['validate', ...paths]);
    expect([result.code, result.stderr]).toEqual([code, '']);
    expect(result.stdout).toMatch(says);
  });

  it('follows no link out of a folder, and reads nothing hidden', async () => {
    const { stdout } = await run(['validate', at('sub'), '-o', 'json']);
    const { files, faults } = JSON.parse(stdout);
    expect([files, faults.length]).toEqual([2, 1]);
  });

  it('skips and counts what is not a Kubernetes object, but only in a folder', async () => {
    const inFolder = await run(['validate', at('chart')]);
    expect([inFolder.code, inFolder.stdout]).toEqual([
      0,
      [
        '1 ScaledObject, 0 ScaledJobs; 1 trigger; 0 errors, 0 warnings',
        'Skipped: 2 files without apiVersion and kind.',
        'Left open: the connections of 1 trigger; --config FILE checks them.',
        '',
      ].join('\n'),
    ]);
    const alone = await run(['validate', at('chart/alert.yaml')]);
    expect([alone.code, alone.stdout]).toEqual([
      2,
      expect.stringContaining('alert.yaml:1: error: is no object of Kubernetes: it has no kind'),
    ]);
    const { skippedFiles } = JSON.parse((await run(['validate', at('chart'), '-o', 'json'])).stdout);
    expect(skippedFiles).toBe(2);
    const converted = await run(['convert', at('chart')]);
    expect([converted.code, converted.stdout]).toEqual([0, rightObject]);
    expect(converted.stderr).toContain('Skipped: 2 files without apiVersion and kind.\n');
  });

  it.each([
    ['a ScaledObject without kind', 'apiVersion: keda.sh/v1alpha1\n# ScaledObject\n', /it has no kind/],
    ['one without apiVersion', '# x\n{"kind": "ScaledObject"}\n', /apiVersion: must be keda\.sh/],
    ['no YAML', 'a: [ScaledObject\n', /is not YAML/],
  ])('does not skip what may be intended as one: %s', async (_, text, says) => {
    await writeFile(at('meant/a.yaml'), text);
    const { code, stdout } = await run(['validate', at('meant')]);
    expect([code, stdout]).toEqual([2, expect.stringMatching(says)]);
  });

  it('reads standard input, and formats for GitHub', async () => {
    const { code, stdout } = await run(['validate', '-f', '-', '-o', 'github'], wrong);
    expect([code, stdout]).toEqual([
      2,
      '::error file=(standard input),line=18,title=ScaledObject shop/order-workers%2C triggers[0]::"lagTreshold": unknown key (did you mean "lagThreshold"?)\n1 ScaledObject, 0 ScaledJobs; 1 trigger; 1 error, 0 warnings\nLeft open: the connections of 1 trigger; --config FILE checks them.\n',
    ]);
  });

  it('lists for programs what is not here', async () => {
    const { code, stdout } = await run([
      'validate',
      '--config',
      at('unready.yaml'),
      '--strict',
      '-o',
      'json',
    ]);
    expect([code, JSON.parse(stdout)]).toMatchObject([
      0,
      {
        faults: [],
        notHere: [
          {
            file: 'unready.yaml',
            line: 13,
            message: 'connections.ci.tokenFile: the file /nowhere/token does not exist',
          },
        ],
      },
    ]);
  });

  it('has one line for all keys of a Secret, and each file for programs', async () => {
    const named = mountedConfig.replace(
      'namespaces: [ci]',
      'webhookSecretFile: /etc/backlog-scaler-github/webhook-secret\n    namespaces: [ci]',
    );
    const chart = `config:\n${indented(named)}secretMounts: [{ name: github, secretName: runners }]\ningest: { enabled: true }\n`;
    const { stdout } = await run(['validate', '--config', '-', at('right.yaml')], chart);
    expect(stdout).toBe(
      '1 ScaledObject, 0 ScaledJobs; 1 trigger; 0 errors, 0 warnings\nLeft open: whether Secret runners has token, webhook-secret\n',
    );
    const json = await run(['validate', '--config', '-', '-o', 'json'], chart);
    expect(JSON.parse(json.stdout).notHere).toMatchObject([
      { line: 14, secret: { name: 'runners', key: 'token' } },
      { line: 15, secret: { name: 'runners', key: 'webhook-secret' } },
    ]);
  });

  it('reads the configuration from standard input', async () => {
    const foreign = ['validate', at('billing.yaml'), '--config', '-'];
    const { code, stdout } = await run(foreign, rightConfig);
    expect([code, stdout]).toEqual([2, expect.stringContaining('may not be used from namespace "billing"')]);
    const broken = await run(foreign, `${rightConfig}typo: 1\n`);
    expect([broken.code, broken.stdout]).toEqual([
      2,
      expect.stringContaining('(standard input):15: error: typo: unknown key'),
    ]);
    const empty = await run(['validate', '--config', '-'], ' \n');
    expect([empty.code, empty.stdout]).toEqual([
      2,
      expect.stringContaining('(standard input):1: error: (standard input) is empty\n'),
    ]);
  });

  it("reads the configuration from a shell's pipe", async () => {
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const validated = `exec "${process.execPath}" "${main}" validate`;
    const pipe = `"${at('right.yaml')}" --config <(cat "${at('config.yaml')}")`;
    const { stdout } = await promisify(execFile)('bash', ['-c', `${validated} ${pipe}`]);
    expect(stdout).toBe('1 ScaledObject, 0 ScaledJobs; 1 trigger; 0 errors, 0 warnings\n');
  });

  it.each([
    [[], '--file FILE|DIR or --config FILE is needed'],
    [['-f', '-', '--config', '-'], '--file - and --config - cannot both be standard input'],
    [['-f', 'x', '-o', 'xml'], '--output must be one of text, github, json, got "xml"'],
  ])('%j is invalid', async (args, message) => {
    expect(await run(['validate', ...args])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
  });
});

describe('deploy/examples', () => {
  const examples = fileURLToPath(new URL('../../deploy/examples/', import.meta.url));
  const checked = async (folder: string, args: readonly string[]): Promise<readonly string[]> => {
    const config = join(examples, folder, 'values.yaml');
    const { code, stdout } = await run(['validate', '--config', config, ...args]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/ 0 errors, [1-9]/)]);
    const left = / has (?:example\.com|123456789012|Iv\w+) of the examples: | is still marked CHANGE: /;
    expect((stdout.match(/.* warning: .*/g) ?? []).filter((one) => !left.test(one))).toEqual([]);
    expect(stdout).toMatch(/values\.yaml:\d+: warning: image\.registry: has example\.com of the examples: /);
    return stdout.match(/(?<=^Left open: ).*$/gm) ?? [];
  };

  it.each(sources.map(({ kind }) => kind))(
    '%s: the page’s check finds nothing but what is to be changed',
    async (kind) => {
      const files = await checked(kind, ['-f', join(examples, kind)]);
      const runners = 'whether there is Secret ci/runner-registration (token)';
      expect(files.includes(runners)).toBe(kind === 'github');
      for (const file of files.filter((one) => one !== runners))
        expect(file).toMatch(/^whether Secret backlog-scaler-\w+ has [\w., -]+$/);
    },
  );

  it.each(['pods', 'hints'])('%s: every file is a key of a Secret that is mounted', async (folder) => {
    const files = await checked(folder, []);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(file).toMatch(/^whether Secret backlog-scaler-\w+ has [\w., -]+$/);
  });
});

describe('backlog-scaler convert', () => {
  it('prints the converted file, and separately what to configure', async () => {
    const { code, stdout, stderr } = await run(['convert', '-f', '-'], builtIn);
    expect(code).toBe(0);
    expect(stdout).toContain(
      '  - type: external-push\n    metadata:\n      scalerAddress: backlog-scaler.keda:6000\n',
    );
    expect(stderr).toMatch(/^1 trigger was converted\.$/m);
    expect(stderr).toMatch(/^config:\n {2}connections:\n {4}kafka:\n {6}source: kafka$/m);
    expect((await run(['validate', '-'], stdout)).code).toBe(0);
    const again = await run(['convert', '-'], stdout);
    expect([again.stdout, again.stderr]).toEqual([stdout, 'No trigger was converted.\n']);
  });

  it('finishes for a slow reader, and ends silently when nobody reads on', async () => {
    const long = `${builtIn}# ${'x'.repeat(1_000_000)}\n`;
    await writeFile(at('long.yaml'), long);
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const convert = `"${process.execPath}" "${main}" convert "${at('long.yaml')}" 2>"${at('stderr')}"`;
    const shell = promisify(execFile);
    const { stdout } = await shell('sh', ['-c', `${convert} | (sleep 1; wc -c)`]);
    const made = await run(['convert', at('long.yaml')]);
    expect(Number(stdout)).toBe(made.stdout.length);
    expect(made.stdout.length).toBeGreaterThan(1_000_000);
    await shell('sh', ['-c', `${convert} | head -c 10`]);
    expect(await readFile(at('stderr'), 'utf8')).not.toMatch(/EPIPE|^\s+at /m);
  });

  it('writes values that the chart and validate take, with the mounts of the Secrets and their keys', async () => {
    const { yaml = '' } = publicShapes.find(({ shape }) => shape.startsWith('SCRAM')) ?? {};
    await run(['convert', '-', '--values', at('made.yaml')], yaml);
    const made = await readFile(at('made.yaml'), 'utf8');
    expect(made).toContain(
      'secretMounts:\n  - { name: login, secretName: backlog-scaler-login } # keys: password\n',
    );
    expect(chartFaults(parseChartValues(made))).toEqual([]);
    const unfilled = await run(['validate', '--config', at('made.yaml')]);
    expect(unfilled.stdout.match(/(?<=error: ).*(?= is still)/g)).toEqual([
      'image.registry:',
      'connections.login.sasl.username:',
    ]);
    await writeFile(at('made.yaml'), made.replaceAll('TO-BE-FILLED-IN', 'orders'));
    const { code, stdout } = await run(['validate', '--config', at('made.yaml'), '--strict']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('Secret backlog-scaler-login')]);
  });

  it('opens the port for webhooks where a connection gets some', async () => {
    const { yaml = '' } = publicShapes.find(({ yaml }) => yaml.includes('type: github-runner')) ?? {};
    await run(['convert', '-', '--values', at('runners.yaml')], yaml);
    const made = parseChartValues(await readFile(at('runners.yaml'), 'utf8'));
    expect([chartFaults(made), made['ingest']]).toEqual([[], { enabled: true }]);
  });

  it('writes only where told', async () => {
    const file = at('built-in.yaml');
    await run(['convert', file]);
    expect(await readFile(file, 'utf8')).toBe(builtIn);
    const { code, stdout } = await run(['convert', file, '--write', '--values', at('written.yaml')]);
    expect([code, stdout]).toEqual([0, '']);
    expect(await readFile(file, 'utf8')).toContain('type: external-push');
    expect(await readFile(at('written.yaml'), 'utf8')).toContain('bootstrapServers: [broker.kafka.svc:9092]');
  });

  it('destroys no file of values', async () => {
    const [file, mine] = [at('mine.yaml'), 'replicaCount: 2 # mine\n'];
    await writeFile(file, builtIn);
    await writeFile(at('values-of-mine.yaml'), mine);
    const args = ['convert', file, '--write', '--values', at('values-of-mine.yaml')];
    const { code, stderr } = await run(args);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^--values \S+ exists, and nothing was written: name a new file, then copy/),
    ]);
    expect(await readFile(at('values-of-mine.yaml'), 'utf8')).toBe(mine);
    expect(await readFile(file, 'utf8')).toBe(builtIn);
    await writeFile(at('values-of-mine.yaml'), '');
    expect((await run(args)).code).toBe(0);
    expect(await readFile(at('values-of-mine.yaml'), 'utf8')).toContain('connections:');
  });

  const kerberos = publicShapes.find(({ shape }) => shape.startsWith('Kerberos'))?.yaml ?? '';
  it.each([
    ['a trigger that has to stay', ['-'], kerberos, 1, 'stays as it is: there is no Kerberos'],
    ['no YAML', ['-'], 'kind: [', 2, '(standard input):1: error: is not YAML'],
    ['no file', ['/nowhere.yaml'], undefined, 2, '/nowhere.yaml: error: does not exist'],
    ['no place to write', ['-', '--write'], builtIn, 2, '--write needs files'],
    ['no address', ['-', '--scaler-address', 'http://x'], builtIn, 2, '--scaler-address must be host:port'],
    ['nothing', [], undefined, 2, '--file FILE|DIR is needed'],
  ] as const)('%s', async (_, args, input, code, message) => {
    const result = await run(['convert', ...args], input);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(message);
  });
});
