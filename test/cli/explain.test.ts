import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ConfigFolder } from '../support/config-folder.ts';
import { docsExample, explain as run } from '../support/explain.ts';
import { rightJob, rightObject } from '../support/mistakes.ts';
import { runHere } from '../support/run-here.ts';

let folder: ConfigFolder;
beforeEach(async () => {
  folder = await ConfigFolder.make();
});
afterEach(() => folder.remove());

const config = `grpc: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
connections: { orders: { source: kafka, bootstrapServers: ["127.0.0.1:1"], namespaces: [shop] } }
`;

const explain = (args: readonly string[], input = rightObject) => run(args, input);

describe('backlog-scaler explain', () => {
  it('prints what docs/explain.md shows', async () => {
    const { code, stdout } = await explain(
      ['--backlog', '390', '--current-replicas', '0'],
      docsExample('yaml', 'kind: ScaledObject'),
    );
    expect(code).toBe(0);
    expect(docsExample('text', 'What KEDA and the HPA do')).toBe(stdout);
  });

  it('says why it does not say what KEDA does, beside a trigger of another scaler', async () => {
    const cron =
      '    - type: cron\n      metadata: { timezone: UTC, start: 0 8 * * *, end: 0 9 * * *, desiredReplicas: "4" }\n';
    const { stdout } = await explain(['--backlog', '5'], rightObject + cron);
    expect(stdout).toMatch(
      /What KEDA does cannot be said\n {2}Because\n {4}triggers\[1\]: it is cron, which this does not ask: take it out/,
    );
  });

  it('explains all of a folder, and of a list as kubectl prints it', async () => {
    await folder.write('object.yaml', rightObject);
    const list = { apiVersion: 'v1', kind: 'List', items: [parse(rightJob), parse(rightObject)] };
    await folder.write('list.yaml', JSON.stringify(list));
    await folder.write('values.yaml', 'replicas: 3\n');
    const { code, stdout } = await runHere(['explain', '-f', folder.path, '--backlog', '1']);
    expect(code).toBe(0);
    expect(stdout.match(/^Scaled.*$/gm)).toEqual([
      'ScaledJob ci/runners, triggers[0]',
      'ScaledObject shop/order-workers, triggers[0]',
      'ScaledObject shop/order-workers, triggers[0]',
    ]);
  });

  it('says how to learn more where nothing is read', async () => {
    const { code, stdout } = await explain([]);
    expect(code).toBe(0);
    expect(stdout).toContain('--backlog N');
  });

  it('reckons with the wait that is wanted, under policy: drain', async () => {
    const drain = rightObject.replace(
      /lagThreshold: .*/,
      'policy: drain\n        drainSeconds: "60"\n        replicaRate: "2"',
    );
    const { code, stdout } = await explain(['--backlog', '600'], drain);
    expect(code).toBe(0);
    expect(stdout).toMatch(/GetMetrics: metricName=\S+\s+metricValue=5\s+metricValueFloat=5/);
    expect(stdout).toMatch(/and none coming: 600 \/ 60 s \/ 2 a\s+second,\s+rounded\s+up/);
  });

  it('checks with --config what --backlog plays, and reads nothing', async () => {
    const values = `config:\n${config.replaceAll(/^(?=connections)/gm, '  ').replace(/^grpc.*\nadmin.*\n/, '')}`;
    await folder.write('config.yaml', values);
    const asked = ['--backlog', '5', '--config', folder.file];
    const { code, stdout } = await explain(asked);
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining('As it would be with 5 items; nothing was read.'),
    ]);
    await folder.write('config.yaml', values.replace('[shop]', '[bank]'));
    const denied = await explain(asked);
    expect([denied.code, denied.stderr]).toEqual([
      2,
      expect.stringContaining('may not be used from namespace'),
    ]);
    await folder.write('config.yaml', values.replace('[shop]', 'shop'));
    const refused = await explain(asked);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining('namespaces: must be a list'),
    ]);
  });

  it('takes from --config what only the connection knows', async () => {
    await folder.write('config.yaml', 'connections: { ci: { source: github, owner: acme, token: t } }\n');
    const job = rightJob.replace(/ *owner:.*\n/, '');
    const bare = await explain(['--backlog', '7'], job);
    expect(bare.stdout).toMatch(/depend on the\s+connection, which\s+--config FILE gives/);
    const { code, stdout } = await explain(['--backlog', '7', '--config', folder.file], job);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/metricName=github-acme\s+metricValue=7/)]);
  });

  it('takes it from the only connection of values whose secrets are elsewhere', async () => {
    const connection = 'ci: { source: github, owner: acme, tokenFile: /nowhere }';
    const values = `config:\n  connections:\n    ${connection}\n`;
    await folder.write('config.yaml', values);
    const job = rightJob.replace(/ *owner:.*\n/, '');
    const asked = ['--backlog', '7', '--config', folder.file];
    const { code, stdout } = await explain(asked, job);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/metricName=github-acme\s+metricValue=7/)]);
    await folder.write('config.yaml', `${values}    other-${connection}\n`);
    const several = await explain(asked, job);
    expect(several.stdout).toMatch(
      /the\s+connection,\s+and\s+the\s+configuration\s+does\s+not\s+say\s+which/,
    );
  });

  it('takes what a ScaledObject refers to, from a file beside it', async () => {
    const ref = '      authenticationRef: { name: scaler, kind: ClusterTriggerAuthentication }\n';
    await folder.write('object.yaml', rightObject + ref);
    await folder.write(
      'authentication.yaml',
      `apiVersion: keda.sh/v1alpha1
kind: ClusterTriggerAuthentication
metadata: { name: scaler }
spec: { secretTargetRef: [{ parameter: caCert, name: a, key: ca.crt }] }
`,
    );
    const files = ['object.yaml', 'authentication.yaml'].map((name) => `${folder.path}/${name}`);
    const { code, stderr } = await runHere(['explain', ...files, '--backlog', '1']);
    expect([code, stderr]).toEqual([0, '']);
  });

  it('ends with 2 where the configuration keeps the namespace out', async () => {
    await folder.write('config.yaml', config.replace('[shop]', '[bank]'));
    const { code, stdout } = await explain(['--config', folder.file]);
    expect(code).toBe(2);
    expect(stdout).toMatch(/GetMetrics:\s+PERMISSION_DENIED/);
  });

  it('explains a ScaledJob, as JSON', async () => {
    const { code, stdout } = await explain(['--backlog', '7', '-o', 'json'], rightJob);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ resources: [{ scaling: { kind: 'ScaledJob', creates: 7 } }] });
  });

  it('says what to do where there is no scaler', async () => {
    const { code, stdout } = await explain(['--address', '127.0.0.1:1']);
    expect(code).toBe(3);
    const text = stdout.replace(/\s+/g, ' ');
    expect(text).toContain(
      'No scaler answers at 127.0.0.1:1 (connect ECONNREFUSED 127.0.0.1:1). Is it running',
    );
    expect(text).toContain('kubectl port-forward');
    expect(text).not.toMatch(/Resolution note|No connection established/);
  });

  it('reads a source itself, which is down', async () => {
    await folder.write('config.yaml', config);
    const { code, stdout } = await explain(['--config', folder.file]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/IsActive, GetMetrics: UNAVAILABLE/);
  });

  it('refuses to read the object and the configuration both from standard input', async () => {
    const { code, stderr } = await explain(['--config', '-'], rightObject);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('--file - and --config - cannot both be standard input: give one of them'),
    ]);
  });

  it.each<[string, readonly string[], string, number]>([
    ['a scaler that is down', ['--address', '127.0.0.1:1'], rightObject, 3],
    ['certificates that are not there', ['--address', 'a:1', '--ca-file', '/nowhere'], rightObject, 2],
    ['no ScaledObject', [], 'kind: ConfigMap\napiVersion: v1\n', 2],
    ['no trigger of this scaler', [], rightObject.replace('type: external-push', 'type: kafka'), 2],
    ['no YAML', [], '[1', 2],
    ['deep YAML', [], '['.repeat(100_000), 2],
    ['5 MB of YAML', [], `# ${'x'.repeat(5 * 1024 * 1024)}\n`, 2],
    ['no number', ['--backlog', 'many'], rightObject, 2],
    ['a certificate without a key', ['--address', 'a:1', '--cert-file', 'a'], rightObject, 2],
    ['certificates without an address', ['--ca-file', 'a'], rightObject, 2],
    ['a token without an address', ['--admin-token-file', 'a'], rightObject, 2],
    [
      'a token that is not there',
      ['--admin', 'http://a:1', '--admin-token-file', '/nowhere'],
      rightObject,
      2,
    ],
    ['a token that is none', ['--admin', 'http://a:1', '--admin-token-file', 'README.md'], rightObject, 2],
    ['a token that is empty', ['--admin', 'http://a:1', '--admin-token-file', '/dev/null'], rightObject, 2],
    ['a port that cannot be', ['--address', 'a:99999'], rightObject, 2],
    ['an address of HTTP', ['--address', 'https://a:6000'], rightObject, 2],
    ['an admin port that is none', ['--admin', 'ftp://a'], rightObject, 2],
    ['an admin port that is down', ['--admin', 'http://127.0.0.1:1'], rightObject, 3],
    ['nothing to watch', ['--watch', '--backlog', '3'], rightObject, 2],
    ['two ways at once', ['--backlog', '1', '--address', 'a:1'], rightObject, 2],
    ['two configurations at once', ['--config', 'a', '--address', 'a:1'], rightObject, 2],
    ['a backlog to watch', ['--watch', '--backlog', '3', '--config', 'a'], rightObject, 2],
  ])('%s', async (_, args, input, expected) => {
    expect((await explain(args, input)).code).toBe(expected);
  });
});
