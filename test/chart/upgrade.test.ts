import { describe, expect, it } from 'vitest';
import { useTools } from '../support/tools/use-tool.ts';
import { cases } from './cases.ts';
import { at, manifests } from './helm.ts';

/** Fields that Kubernetes never lets anybody change. `helm upgrade` would fail on them. */
const immutable: Record<string, readonly (readonly string[])[]> = {
  Deployment: [['spec', 'selector']],
  Service: [['spec', 'clusterIP']],
  PersistentVolumeClaim: [
    ['spec', 'accessModes'],
    ['spec', 'storageClassName'],
  ],
};

describe('helm upgrade', () => {
  const tool = useTools('helm-3');

  it('works from every case to every other: immutable fields are the same in all', () => {
    const first = new Map<string, unknown>();
    for (const [name, values] of Object.entries(cases)) {
      for (const one of manifests(tool('helm-3'), values)) {
        for (const path of immutable[String(one['kind'])] ?? []) {
          const field = [one['kind'], at(one, 'metadata', 'name'), ...path].join(' ');
          if (!first.has(field)) first.set(field, at(one, ...path));
          expect(at(one, ...path), `${name}: ${field}`).toEqual(first.get(field));
        }
      }
    }
    expect(first.size).toBeGreaterThanOrEqual(6);
  });

  it('finds the same pods whatever labels are added', () => {
    const selectors = [cases['the default'], cases["labels that look like the chart's"]].map((values) =>
      manifests(tool('helm-3'), values).flatMap((one) => {
        const selector = at(one, 'spec', 'selector') ?? at(one, 'spec', 'podSelector');
        return selector === undefined ? [] : [[one['kind'], at(one, 'metadata', 'name'), selector]];
      }),
    );
    expect(selectors[1]).toEqual(selectors[0]);
  });
});
