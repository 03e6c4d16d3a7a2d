import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useTools } from '../support/tools/use-tool.ts';
import { cases } from './cases.ts';
import { render, run } from './helm.ts';
import { schemaFileName } from './schemas.ts';

/** The output of NOTES.txt for KEDA, as a manifest of the release. */
const printed = ['TriggerAuthentication', 'ClusterTriggerAuthentication'].map(
  (kind) => `{{ include "backlog-scaler.triggerAuthentication" (dict "root" . "kind" "${kind}") }}`,
);

describe('the rendered objects, by the schemas of their kinds', () => {
  const tool = useTools('helm-3', 'helm-4', 'kubeconform', 'kubernetes-schemas');

  const conform = (text: string) =>
    run(
      tool('kubeconform'),
      ['-strict', '-summary', '-schema-location', join(tool('kubernetes-schemas'), schemaFileName), '-'],
      text,
    );

  for (const helm of ['helm-3', 'helm-4'] as const) {
    it.each(Object.entries(cases))(`conforms with ${helm}: %s`, (_, values) => {
      const { ok, output } = render(tool(helm), values);
      expect(output).toContain('kind: Deployment');
      expect(ok).toBe(true);
      const checked = conform(output);
      expect(checked.output).toMatch(/Invalid: 0, Errors: 0, Skipped: 0/);
      expect(checked.ok).toBe(true);
    });
  }

  it.each(['certificates of cert-manager', 'certificates of others', 'TLS without client certificates'])(
    "conforms, what the notes print of KEDA's kinds: %s",
    (name) => {
      const { output } = render(tool('helm-3'), { ...cases[name], extraManifests: printed });
      expect(output).toContain('kind: ClusterTriggerAuthentication');
      expect(conform(output).output).toMatch(/Invalid: 0, Errors: 0, Skipped: 0/);
    },
  );

  it.each([
    ['an unknown key', 'spec: { replica: 3 }'],
    ['a value of another type', 'spec: { ports: 6000 }'],
  ])('would notice %s', (_, spec) => {
    const text = `apiVersion: v1\nkind: Service\nmetadata: { name: a }\n${spec}\n`;
    expect(conform(text).ok).toBe(false);
  });
});
