import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { convertInputs } from '../../src/scaledobjects/convert.ts';
import { validateInputs } from '../../src/scaledobjects/validate.ts';
import { sources } from '../../src/sources/index.ts';
import { loadExample } from '../support/example-config.ts';

const read = (path: string): string => readFileSync(new URL(`../../docs/${path}`, import.meta.url), 'utf8');
const page = read('migrate.md');
const codes = (cell: string): string[] => [...cell.matchAll(/`([\w.]+)/g)].map(([, code = '']) => code);

/** Keys of KEDA's scalers that do not concern a connection. */
const meaningless = new Set(['version', 'fullMetadata', 'enableEtags', 'queueURL', 'tls']);
/** Of a TriggerAuthentication, not parameters of a scaler. */
const ofAuthentication = new Set(['podIdentity', 'podIdentity.roleArn']);

describe.each([
  ['kafka', '`kafka`, `apache-kafka`'],
  ['sqs', '`aws-sqs-queue`'],
  ['nats', '`nats-jetstream`'],
  ['github', '`github-runner`'],
])('docs/migrate.md, parameters of %s', (kind, heading) => {
  const source = sources.find((one) => one.kind === kind);
  const table = page.slice(page.indexOf(`| ${heading} | key of the connection |`)).split('\n\n')[0] ?? '';
  const rows = table.split('\n').slice(2);
  const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()));

  it('are all there', () => {
    const named = new Set(cells.flatMap(([, theirs = '']) => codes(theirs)));
    const known = Object.keys(source?.connectionKeys ?? {});
    expect(known.filter((key) => !meaningless.has(key) && !named.has(key))).toEqual([]);
    const unknown = [...named].filter((key) => !known.includes(key) && !ofAuthentication.has(key));
    expect(unknown.filter((key) => !/^(aws_msk_iam|oauthbearer)$/.test(key))).toEqual([]);
  });

  it('become keys that the configuration has', () => {
    // The keys of `tls` are the same for all, in a section of their own.
    const configuration = [`\`source: ${kind}\``, '`tls`']
      .map((title) => read('configuration.md').split(`### ${title}\n`)[1]?.split('\n### ')[0] ?? '')
      .join('\n');
    const known = new Set(codes(configuration.replaceAll(/^(\| `[^|]*).*$/gm, '$1')));
    const ours = cells.flatMap(([, , keys = '']) => codes(keys.replaceAll(/: `.*/g, '')));
    expect(ours.length).toBeGreaterThan(0);
    expect(ours.filter((key) => !known.has(key) && key !== 'oauthbearer')).toEqual([]);
  });
});

/** As `kubectl get` prints it. */
const triggerAuthentication = `---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: { name: kafka-login, namespace: shop }
spec:
  secretTargetRef:
    - { parameter: username, name: kafka-credentials, key: user }
    - { parameter: password, name: kafka-credentials, key: password }
    - { parameter: ca, name: kafka-credentials, key: ca }
`;

it('docs/migrate.md: its commands convert its ScaledObject, and make the Secret with the files of the connection', async () => {
  const [, diff = ''] = /```diff\n(.*?)```/s.exec(page) ?? [];
  const before = diff.replaceAll(/^\+.*\n/gm, '').replaceAll(/^[- ]/gm, '');
  const { files, connections } = convertInputs(
    [{ file: 'old.yaml', text: `${before}${triggerAuthentication}` }],
    { sources, scalerAddress: 'backlog-scaler.keda:6000', namespace: '' },
  );
  const [connection] = connections;
  expect(connection?.mount).toBe('{ name: kafka-login, secretName: backlog-scaler-kafka-login }');
  const config = ['connections:', ...(connection?.lines ?? [])].join('\n');
  const named = [...config.matchAll(/\/etc\/backlog-scaler-kafka-login\/([\w.-]+)/g)].map(([, file]) => file);
  // As the page's `sed` finds them, as comments of values.yaml.
  const commands = connection?.steps.filter((step) => step.startsWith('kubectl')) ?? [];
  const [, data = ''] = /"data": \{(.*)\}\}' \| kubectl apply/.exec(commands.at(-1) ?? '') ?? [];
  const keys = [...data.matchAll(/"([\w.-]+)": "/g)].map(([, key]) => key);
  expect(keys.toSorted()).toEqual(named.toSorted());
  expect(keys.toSorted()).toEqual(connection?.keys.toSorted());
  expect(page).toContain(`sed -n 's/^# kubectl/kubectl/p' values.yaml | sh`);
  // What convert makes is a trigger of the connection, once the user is filled in.
  const loaded = await loadExample(config.replace('TO-BE-FILLED-IN', 'orders'));
  const world = { sources, ...loaded, maxStalenessSeconds: 60, refuseSecretsFromEnv: true };
  const inputs = files.map(({ file, text }) => ({ file, text }));
  const report = validateInputs(inputs, { sources, namespace: '', world });
  expect([report.faults, report.triggers, report.leftOpen]).toEqual([[], 1, 0]);
});
