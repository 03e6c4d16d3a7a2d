import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { parse, parseDocument, stringify } from 'yaml';
import { z } from 'zod';
import { merged } from './merged.ts';

const root = new URL('../../', import.meta.url);
const schema: object = JSON.parse(
  readFileSync(new URL('deploy/helm/backlog-scaler/values.schema.json', root), 'utf8'),
);
const defaults: unknown = parse(
  readFileSync(new URL('deploy/helm/backlog-scaler/values.yaml', root), 'utf8'),
);

const chartValues = z.looseObject({
  config: z.looseObject({ eventLog: z.looseObject({ type: z.string() }).optional() }),
  secretMounts: z.array(z.object({ name: z.string(), secretName: z.string() })).optional(),
});
export type ChartValues = z.infer<typeof chartValues>;

/** Reads a file with values of the chart. */
export function readChartValues(path: string): ChartValues {
  return parseChartValues(readFileSync(new URL(path, root), 'utf8'));
}

/** Parses values of the chart. A duplicate key or a wrong indent is an error. */
export function parseChartValues(text: string): ChartValues {
  const document = parseDocument(text);
  if (document.errors.length > 0) throw new Error(document.errors.join('; '));
  return chartValues.parse(document.toJS());
}

/** What the chart's schema finds wrong in the values, merged over the chart's own as Helm does. */
export function chartFaults(values: unknown): readonly object[] {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(schema);
  validate(merged(defaults, values));
  return validate.errors ?? [];
}

/** The configuration that the chart makes from the values. The chart itself fills in where the volume is. */
export function chartConfig({ config }: ChartValues): string {
  const { eventLog } = config;
  if (eventLog?.type !== 'file') return stringify(config);
  return stringify({ ...config, eventLog: { ...eventLog, dir: '/var/lib/backlog-scaler' } });
}

/** The names of the mounts in the configuration's file paths. */
export function mountsNamed({ config }: ChartValues): string[] {
  const named = stringify(config).matchAll(/\/etc\/backlog-scaler-([\w-]+)\//g);
  return [...new Set([...named].map(([, name = '']) => name))];
}
