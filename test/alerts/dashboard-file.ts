import { readFileSync } from 'node:fs';
import { z } from 'zod';

const datasource = z.strictObject({ type: z.literal('prometheus'), uid: z.literal('${datasource}') });
const target = z.looseObject({ refId: z.string(), datasource, expr: z.string().min(1) });
const gridPos = z.strictObject({ x: z.number(), y: z.number(), w: z.number(), h: z.number() });
const row = z.looseObject({ id: z.number(), type: z.literal('row'), title: z.string(), gridPos });
const panel = z.looseObject({
  id: z.number(),
  type: z.enum(['stat', 'timeseries', 'table']),
  title: z.string().min(1),
  description: z.string().min(1),
  datasource,
  gridPos,
  targets: z.array(target).min(1),
});
const variable = z.looseObject({ name: z.string(), type: z.string() });
const file = z.looseObject({
  title: z.string(),
  uid: z.string(),
  schemaVersion: z.number().min(36),
  templating: z.strictObject({ list: z.array(variable) }),
  panels: z.array(z.union([row, panel])),
});

/** The dashboard as Grafana would import it. */
export const dashboard = file.parse(
  JSON.parse(readFileSync(new URL('../../deploy/grafana/backlog-scaler.json', import.meta.url), 'utf8')),
);

/** Every query of every panel, with its row and panel. */
export function dashboardQueries(): { where: string; query: string }[] {
  let rowTitle = '';
  const queries = [];
  for (const each of dashboard.panels) {
    if (each.type === 'row') rowTitle = each.title;
    if (!('targets' in each) || !Array.isArray(each.targets)) continue;
    for (const { refId, expr } of z.array(target).parse(each.targets)) {
      queries.push({ where: `${rowTitle} / ${each.title} / ${refId}`, query: expr });
    }
  }
  return queries;
}
