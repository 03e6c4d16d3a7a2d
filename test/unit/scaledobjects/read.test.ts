import { describe, expect, it } from 'vitest';
import { maxYamlBytes, readScaledResources } from '../../../src/scaledobjects/read.ts';

const read = (text: string) => readScaledResources(text, 'a.yaml');
const faultsOf = (text: string) =>
  read(text).faults.map(({ line, where, message }) => [line, where, message]);

const object = `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: orders, namespace: shop }
spec:
  minReplicaCount: 0
  maxReplicaCount: 12
  advanced:
    horizontalPodAutoscalerConfig:
      behavior: { scaleUp: { selectPolicy: Max } }
  fallback: { failureThreshold: 3, replicas: 2 }
  triggers:
    - type: external-push
      name: lag
      useCachedMetrics: true
      metadata:
        source: kafka
        topic: orders
      authenticationRef: { name: login, kind: ClusterTriggerAuthentication }
`;

describe('readScaledResources', () => {
  it('reads a ScaledObject, with the lines of its keys', () => {
    const { resources, faults, others } = read(object);
    expect([faults, others]).toEqual([[], 0]);
    const [one] = resources;
    expect(one).toMatchObject({ kind: 'ScaledObject', namespace: 'shop', name: 'orders', line: 1 });
    expect(one?.spec).toEqual({
      minReplicaCount: 0,
      maxReplicaCount: 12,
      behavior: { scaleUp: { selectPolicy: 'Max' } },
      fallback: { failureThreshold: 3, replicas: 2 },
    });
    expect(one?.lineOf('advanced', 'horizontalPodAutoscalerConfig', 'behavior')).toBe(9);
    expect(one?.lineOf('nothing')).toBe(5);
    const [trigger] = one?.triggers ?? [];
    expect(trigger).toMatchObject({
      type: 'external-push',
      name: 'lag',
      useCachedMetrics: true,
      metricType: 'AverageValue',
      metadata: { source: 'kafka', topic: 'orders' },
      authenticationRef: { name: 'login', kind: 'ClusterTriggerAuthentication' },
      line: 12,
    });
    expect(['topic', 'useCachedMetrics', 'nothing'].map((key) => trigger?.lineOf(key))).toEqual([17, 14, 12]);
  });

  it('keeps a key with the name of an object’s inner part', () => {
    const [one] = read(object.replace('topic: orders', '__proto__: orders')).resources;
    expect(Object.entries(one?.triggers[0]?.metadata ?? {})).toContainEqual(['__proto__', 'orders']);
  });

  it('reads documents, lists and JSON, and counts other kinds', () => {
    const json = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' } },
        {
          apiVersion: 'keda.sh/v1alpha1',
          kind: 'ScaledJob',
          metadata: { name: 'j' },
          spec: { triggers: [{ type: 'cron', metadata: {} }] },
        },
      ],
    });
    const { resources, others, faults } = read(`${object}---\n# nothing\n---\n${json}\n`);
    expect(faults).toEqual([]);
    expect(others).toBe(1);
    expect(resources.map(({ kind, name, line }) => [kind, name, line])).toEqual([
      ['ScaledObject', 'orders', 1],
      ['ScaledJob', 'j', 22],
    ]);
  });

  it('understands anchors and merge keys as kubectl does', () => {
    const text = object.replace('        source: kafka\n', '        <<: &a { source: kafka }\n');
    expect(read(text).resources[0]?.triggers[0]?.metadata).toEqual({ source: 'kafka', topic: 'orders' });
  });

  it('reads a TriggerAuthentication, without data of Secrets', () => {
    const { authentications, others } = read(
      'apiVersion: keda.sh/v1alpha1\nkind: TriggerAuthentication\nmetadata: {name: login, namespace: shop}\nspec: {secretTargetRef: [{parameter: password, name: s, key: p}]}\n',
    );
    expect(others).toBe(0);
    expect(authentications).toEqual([
      {
        node: expect.anything(),
        kind: 'TriggerAuthentication',
        namespace: 'shop',
        name: 'login',
        spec: { secretTargetRef: [{ parameter: 'password', name: 's', key: 'p' }] },
      },
    ]);
  });

  const levels = (n: number) =>
    [
      'a0: &a0 [x, x]',
      ...Array.from({ length: n }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`)}]`),
    ].map((line) => `  ${line}\n`);

  it.each([
    ['no YAML', 'kind: [\n', [[2, '', expect.stringContaining('is not YAML: ')]]],
    [
      'a template',
      'kind: ScaledObject\nmetadata:\n  name: {{ .Values.name }}\n',
      [[3, '', expect.stringContaining('helm template')]],
    ],
    ['a text', 'hello\n', [[1, '', expect.stringContaining('is no object of Kubernetes')]]],
    ['no kind', 'a: 1\n', [[1, '', 'is no object of Kubernetes: it has no kind']]],
    ['nothing', '', []],
    ['too much', `# ${'x'.repeat(maxYamlBytes)}\n`, [[1, '', `is larger than ${maxYamlBytes} bytes`]]],
    [
      'deeper than the parser goes',
      `a: ${'['.repeat(5_000)}\n`,
      [[1, '', expect.stringContaining('nested too deeply')]],
    ],
    ['deep flow', `${'['.repeat(50_000)}\n`, [[1, '', expect.stringContaining('YAML')]]],
    [
      'deep, and closed',
      `kind: ScaledObject\nmetadata: {name: a}\nspec: ${'['.repeat(200)}${']'.repeat(200)}\n`,
      [
        [1, 'ScaledObject a', expect.stringContaining('apiVersion')],
        [3, '', 'is nested deeper than 64'],
      ],
    ],
    [
      'an alias bomb',
      object.replace('spec:\n', `spec:\n${levels(9).join('')}`),
      [[7, '', 'has more than 100 aliases']],
    ],
    [
      'an alias of itself',
      'kind: ScaledObject\nspec: &a\n  b: *a\n',
      [
        [1, 'ScaledObject (no name)', expect.any(String)],
        [1, 'ScaledObject (no name)', 'metadata.name: is missing'],
        [3, '', expect.stringMatching(/nested deeper|aliases/)],
      ],
    ],
    [
      'an alias of nothing',
      'kind: ScaledObject\nspec: *a\n',
      [
        [1, 'ScaledObject (no name)', expect.any(String)],
        [1, 'ScaledObject (no name)', expect.any(String)],
        [2, '', 'has the alias "a" of no anchor'],
      ],
    ],
    [
      'no triggers',
      object.slice(0, object.indexOf('  triggers')),
      [[5, 'ScaledObject shop/orders', 'triggers: must be a list with a trigger']],
    ],
    [
      'a number as text',
      object.replace('topic: orders', 'lagThreshold: 5'),
      [
        [
          17,
          'ScaledObject shop/orders, triggers[0]',
          'lagThreshold: Kubernetes takes text only: write "5" in quotes',
        ],
      ],
    ],
    [
      'a word that is true',
      object.replace('topic: orders', 'tls: on'),
      [
        [
          17,
          'ScaledObject shop/orders, triggers[0]',
          'tls: Kubernetes takes text only: write "true" in quotes',
        ],
      ],
    ],
    [
      'a unit',
      object.replace('maxReplicaCount: 12', 'pollingInterval: 30s'),
      [
        [
          6,
          'ScaledObject shop/orders',
          'pollingInterval: must be a whole number without quotes or unit, got "30s"',
        ],
      ],
    ],
    [
      'a key twice',
      object.replace('maxReplicaCount: 12', 'minReplicaCount: 1'),
      [[6, 'ScaledObject shop/orders', '"minReplicaCount" is written twice']],
    ],
  ])('%s', (_, text, faults) => {
    expect(faultsOf(text)).toEqual(faults);
  });

  it('reads 5 MB of anything in bounded time', () => {
    const wide = `kind: ScaledObject\nspec:\n${'  a: 1\n'.repeat(210_000)}`;
    const { faults } = read(wide);
    expect(faults.at(-1)?.message).toBe('is too large, with what its aliases stand for');
  });
});
