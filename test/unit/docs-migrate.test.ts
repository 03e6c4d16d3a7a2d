import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { convertInputs } from '../../src/scaledobjects/convert.ts';
import { sources } from '../../src/sources/index.ts';

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

it('docs/migrate.md moves a Secret to the files that its connection, and convert, name', () => {
  const [, template = ''] = /-o go-template='\n(.*?)\n *' \| kubectl apply/s.exec(page) ?? [];
  const filled = template.replaceAll(/\{\{ index \.data "([\w.]+)" \}\}/g, (_, key: string) => btoa(key));
  const secret = z
    .object({
      kind: z.literal('Secret'),
      metadata: z.object({ name: z.string(), namespace: z.string() }),
      data: z.record(z.string(), z.base64()),
    })
    .loose()
    .parse(parse(filled));
  const [, block = ''] = /```yaml\n( *config:\n.*?) *```/s.exec(page) ?? [];
  const values = z
    .looseObject({ secretMounts: z.array(z.object({ name: z.string(), secretName: z.string() })).length(1) })
    .parse(parse(block));
  const [mount] = values.secretMounts;
  expect(mount?.secretName).toBe(secret.metadata.name);
  const named = [...block.matchAll(new RegExp(`/etc/backlog-scaler-${mount?.name}/([\\w.-]+)`, 'g'))];
  expect(named.map(([, file]) => file).toSorted()).toEqual(Object.keys(secret.data).toSorted());
  const [, diff = ''] = /```diff\n(.*?)```/s.exec(page) ?? [];
  const before = diff.replaceAll(/^\+.*\n/gm, '').replaceAll(/^[- ]/gm, '');
  const { connections } = convertInputs([{ file: 'old.yaml', text: `${before}${triggerAuthentication}` }], {
    sources,
    scalerAddress: 'backlog-scaler.keda:6000',
    namespace: '',
  });
  const converted = connections.flatMap(({ lines }) => lines).join('\n');
  expect(connections.map(({ name }) => name)).toEqual([mount?.name]);
  for (const [path] of named) expect(converted).toContain(path);
});
