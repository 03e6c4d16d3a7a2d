import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { isMapping } from '../../src/config/document.ts';
import { merged } from '../support/merged.ts';
import { useTools } from '../support/tools/use-tool.ts';
import { allOn, cases } from './cases.ts';
import { chart, kubeVersion, lint, render, run, type Values } from './helm.ts';

const defaults: unknown = parse(readFileSync(join(chart, 'values.yaml'), 'utf8'));

const ownCertificates: Values = { tls: { enabled: true, existingSecret: 'server' } };
const object = [{ name: 'more', mountPath: '/more' }];

/** Other values for keys whose changed text, number or switch would be invalid, and values that must be set with them. */
const others: Record<string, { value: unknown; with?: Values }> = {
  replicaCount: { value: 2, with: {} },
  'image.digest': { value: `sha256:${'a'.repeat(64)}` },
  'image.pullPolicy': { value: 'Always' },
  imagePullSecrets: { value: [{ name: 'more' }] },
  'config.log.level': { value: 'debug' },
  'config.connections': { value: { jobs: { source: 'sqs', region: 'eu-central-1' } } },
  secretMounts: { value: [{ name: 'more', secretName: 'more' }] },
  'autoscaling.enabled': { value: true, with: {} },
  'autoscaling.minReplicas': { value: 3, with: { autoscaling: { enabled: true } } },
  'autoscaling.maxReplicas': { value: 3, with: { autoscaling: { enabled: true } } },
  'autoscaling.targetCPUUtilizationPercentage': { value: 3, with: { autoscaling: { enabled: true } } },
  'persistence.accessModes': { value: ['ReadWriteOnce'] },
  'persistence.size': { value: '3Gi' },
  'admin.port': { value: 8090 },
  'ingest.enabled': { value: true, with: {} },
  'ingest.ingress.enabled': { value: false },
  'ingest.ingress.tls': { value: [{ secretName: 'more' }] },
  'ingest.ingress.hosts': { value: ['b.test'] },
  'ingest.httpRoute.parentRefs': { value: [{ name: 'other' }] },
  'ingest.service.type': { value: 'NodePort' },
  'tls.enabled': { value: false },
  'tls.existingSecret': { value: 'other', with: ownCertificates },
  'tls.certManager.enabled': {
    value: false,
    with: {
      tls: {
        enabled: true,
        existingSecret: 'server',
        certManager: { enabled: true, issuerRef: { name: 'a' } },
      },
    },
  },
  'tls.certManager.duration': { value: '24h' },
  'tls.certManager.renewBefore': { value: '1h' },
  'networkPolicy.extraIngress': { value: [{}] },
  'networkPolicy.egress': { value: [{}] },
  'serviceMonitor.interval': { value: '9s' },
  'serviceMonitor.scrapeTimeout': { value: '9s' },
  'serviceMonitor.bearerTokenSecret': { value: { name: 'a', key: 'b' } },
  'serviceMonitor.metricRelabelings': { value: [{ action: 'drop' }] },
  'prometheusRule.exclude': { value: ['BacklogScalerAbsent'] },
  'serviceAccount.name': { value: 'other' },
  'topologySpread.whenUnsatisfiable': { value: 'DoNotSchedule' },
  tolerations: { value: [{ key: 'a' }] },
  listenHost: { value: '::' },
  hostAliases: { value: [{ ip: '10.0.0.1', hostnames: ['kafka.corp'] }] },
  dnsConfig: { value: { searches: ['corp'] } },
  extraEnv: { value: object },
  extraEnvFrom: { value: object },
  extraVolumes: { value: object },
  extraVolumeMounts: { value: object },
  extraContainers: { value: object },
  extraInitContainers: { value: object },
  extraManifests: { value: [{ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'more' } }] },
  'helmTest.trigger': { value: { metadata: { source: 'sqs' } }, with: {} },
};

/** The keys of everything with a default. An empty mapping or list counts as one. */
function leaves(node: unknown, at: readonly string[] = []): string[][] {
  if (!isMapping(node) || Object.keys(node).length === 0) return [[...at]];
  return Object.entries(node).flatMap(([key, value]) => leaves(value, [...at, key]));
}

function changed(before: unknown): unknown {
  if (typeof before === 'boolean') return !before;
  if (typeof before === 'number') return before + 1;
  if (Array.isArray(before)) return [...before, 'other'];
  return isMapping(before) ? { other: 'other' } : 'other';
}

function valueAt(path: readonly string[]): unknown {
  return path.reduce<unknown>((node, key) => (isMapping(node) ? node[key] : undefined), defaults);
}

describe('values.yaml', () => {
  const tool = useTools('helm-3', 'helm-4');
  // Helm itself uses `enabled` if the chart is a dependency, see below.
  const paths = leaves(defaults).filter(([key]) => key !== 'enabled');

  it.each(paths.map((path) => path.join('.')))('every value is used: %s', (key) => {
    const own = others[key];
    const base = own?.with ?? allOn;
    const path = key.split('.');
    const before = path.reduce<unknown>((node, part) => (isMapping(node) ? node[part] : undefined), base);
    const value = own?.value ?? changed(before ?? valueAt(path));
    const change = path.reduceRight<unknown>((inner, part) => ({ [part]: inner }), value);
    const rendered = [base, merged(base, change)].map((values) =>
      render(tool('helm-3'), isMapping(values) ? values : {}),
    );
    expect(rendered.map(({ ok, output }) => (ok ? 'ok' : output))).toEqual(['ok', 'ok']);
    expect(rendered[1]?.output).not.toBe(rendered[0]?.output);
  });

  it.each([
    [true, 1],
    [false, 0],
  ])('belong to a dependency that its parent can switch: %s', async (enabled, deployments) => {
    const parent = await mkdtemp(join(tmpdir(), 'parent-'));
    try {
      const dependency = { name: 'backlog-scaler', version: '*', condition: 'backlog-scaler.enabled' };
      const description = { apiVersion: 'v2', name: 'parent', version: '1.0.0', dependencies: [dependency] };
      await writeFile(join(parent, 'Chart.yaml'), stringify(description));
      await cp(chart, join(parent, 'charts', 'backlog-scaler'), { recursive: true });
      const values = stringify({ 'backlog-scaler': { enabled } });
      const args = ['template', 'wakes', parent, ...kubeVersion, '--values', '-'];
      const { ok, output } = run(tool('helm-4'), args, values);
      expect([ok, ok ? '' : output]).toEqual([true, '']);
      expect(output.match(/^kind: Deployment$/gm) ?? []).toHaveLength(deployments);
    } finally {
      await rm(parent, { recursive: true });
    }
  });

  it('would be reported if unused', () => {
    const [one, other] = [{}, { global: { nobody: 'reads this' } }].map((values) =>
      render(tool('helm-3'), values),
    );
    expect(other).toEqual(one);
  });

  const mappings = [
    '',
    'autoscaling',
    'image',
    'config',
    'config.grpc',
    'config.eventLog',
    'persistence',
    'service',
    'admin',
    'ingest',
    'ingest.service',
    'ingest.ingress',
    'ingest.httpRoute',
    'tls',
    'tls.certManager',
    'tls.certManager.issuerRef',
    'tls.certManager.client',
    'keda',
    'networkPolicy',
    'serviceMonitor',
    'prometheusRule',
    'dashboard',
    'serviceAccount',
    'podDisruptionBudget',
    'resources',
    'topologySpread',
    'helmTest',
  ];

  it.each(mappings)('refuses an unknown key in %s', (at) => {
    const path = [...at.split('.').filter(Boolean), 'nobodyKnowsThis'];
    const values = path.reduceRight<unknown>((inner, part) => ({ [part]: inner }), true);
    const { ok, output } = render(tool('helm-3'), isMapping(values) ? values : {});
    expect(ok).toBe(false);
    expect(output).toMatch(/nobodyKnowsThis/);
  });

  it('have no mapping with defaults that accepts unknown keys', () => {
    const schema: unknown = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8'));
    const open = [
      // It also has the values of other charts.
      'global',
      'podSecurityContext',
      'securityContext',
      'resources.requests',
      'resources.limits',
      'keda.podLabels',
      'dashboard.labels',
    ];
    const withDefaults = leaves(defaults).flatMap((path) =>
      path.slice(0, -1).map((_, i) => path.slice(0, i + 1)),
    );
    for (const path of withDefaults.filter((one) => !open.some((key) => one.join('.').startsWith(key)))) {
      const node = path.reduce<unknown>((at, part) => {
        const properties = isMapping(at) ? at['properties'] : undefined;
        return isMapping(properties) ? properties[part] : undefined;
      }, schema);
      expect(isMapping(node) && node['additionalProperties'], path.join('.')).toBe(false);
    }
  });

  for (const helm of ['helm-3', 'helm-4'] as const) {
    it.each(Object.entries(cases))(
      `has nothing that helm lint --strict minds, with ${helm}: %s`,
      (_, values) => {
        const { ok, output } = lint(tool(helm), values);
        expect(ok, output).toBe(true);
      },
    );
  }
});
