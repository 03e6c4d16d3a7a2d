import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse, parseDocument } from 'yaml';
import { z } from 'zod';
import { applicationSchema, syncOptions } from '../support/argocd-application.ts';
import { chartConfig, chartFaults, mountsNamed } from '../support/chart-values.ts';
import { loadExample } from '../support/example-config.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const document = parseDocument(read('deploy/examples/argocd-application.yaml'));
const { spec } = z
  .looseObject({
    spec: z.looseObject({
      source: z.looseObject({
        chart: z.string(),
        targetRevision: z.string(),
        helm: z.looseObject({
          skipTests: z.boolean(),
          valuesObject: z.looseObject({
            config: z.looseObject({ eventLog: z.looseObject({ type: z.string() }) }),
            secretMounts: z.array(z.object({ name: z.string(), secretName: z.string() })),
            persistence: z.object({ annotations: z.record(z.string(), z.string()) }),
          }),
        }),
      }),
      syncPolicy: z.looseObject({ syncOptions: z.array(z.string()) }),
    }),
  })
  .parse(document.toJS());
const { valuesObject } = spec.source.helm;

function faults(schema: object, value: unknown): unknown {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(schema);
  validate(value);
  return validate.errors ?? [];
}

describe('deploy/examples/argocd-application.yaml', () => {
  it('is an Application', () => {
    expect(document.errors).toEqual([]);
    expect(faults(applicationSchema, document.toJS())).toEqual([]);
  });

  it.each([
    ['spec.syncPolicy.automatic', { ...spec, syncPolicy: { automatic: {} } }],
    ['spec.project missing', { ...spec, project: undefined }],
    ['a number as a revision', { ...spec, source: { ...spec.source, targetRevision: 0.1 } }],
  ])('would not be one with %s', (_what, changed) => {
    expect(faults(applicationSchema, { ...document.toJS(), spec: changed })).not.toEqual([]);
  });

  it('has sync options that Argo CD knows', () => {
    expect(spec.syncPolicy.syncOptions.filter((one) => !syncOptions.includes(one))).toEqual([]);
  });

  it('installs the chart of this release', () => {
    const { name, version } = parse(read('deploy/helm/backlog-scaler/Chart.yaml'));
    expect([spec.source.chart, spec.source.targetRevision]).toEqual([name, version]);
  });

  it('gives the chart values that it takes', () => {
    expect(chartFaults(valuesObject)).toEqual([]);
  });

  it('has a configuration that serve takes', async () => {
    const config = await loadExample(chartConfig(valuesObject));
    expect([...config.connections.keys()]).toEqual(['ci']);
  });

  it('mounts the secrets that the configuration names', () => {
    expect(mountsNamed(valuesObject)).toEqual(valuesObject.secretMounts.map(({ name }) => name));
  });

  it('keeps the ledger when its claim is removed from the values', () => {
    expect(valuesObject.persistence.annotations).toEqual({
      'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false',
    });
  });
});
