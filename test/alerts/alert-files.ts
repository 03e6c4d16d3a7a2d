import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

const root = new URL('../../', import.meta.url);

const text = z.string().min(1);
const rule = z.strictObject({
  alert: text,
  expr: text,
  for: z.string().regex(/^\d+[smhd]$/),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
  annotations: z.strictObject({ summary: text, description: text, runbook_url: text }),
});
const group = z.strictObject({ name: text, rules: z.array(rule).length(1) });
const file = z.strictObject({ groups: z.array(group).length(1) });

/** The names of all alerts, from their files. */
export const alertNames = readdirSync(new URL('deploy/alerts', root)).map((name) =>
  name.replace(/\.yaml$/, ''),
);

export function alertPath(name: string): string {
  return fileURLToPath(new URL(`deploy/alerts/${name}.yaml`, root));
}

/** The only group and the only rule in an alert's file. */
export function readAlert(name: string): { group: string; rule: z.infer<typeof rule> } {
  const [only] = file.parse(parse(readFileSync(alertPath(name), 'utf8'))).groups;
  const [alert] = only?.rules ?? [];
  if (only === undefined || alert === undefined) throw new Error(`${name}.yaml has no rule`);
  return { group: only.name, rule: alert };
}

/** The names of the metrics in docs/metrics.md, with the series of histograms. */
export function documentedMetrics(): Set<string> {
  const page = readFileSync(new URL('docs/metrics.md', root), 'utf8');
  const series = page.matchAll(/^(backlog_scaler_\w+)\S*(?: (\w+))?$/gm);
  const suffixes = (type: string) => (type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']);
  return new Set([...series].flatMap(([, name = '', type = '']) => suffixes(type).map((end) => name + end)));
}

/** The names of our metrics in a query. */
export function metricsIn(query: string): string[] {
  return [...query.matchAll(/\bbacklog_scaler_\w+/g)].map(([name]) => name);
}
