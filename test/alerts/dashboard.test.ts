import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Prometheus } from '../support/prometheus.ts';
import { tool, useTool } from '../support/tools/use-tool.ts';
import { alertNames, alertPath, documentedMetrics, metricsIn } from './alert-files.ts';
import { dashboard, dashboardQueries } from './dashboard-file.ts';
import { EventfulScaler } from './eventful-scaler.ts';

/** As Grafana does it if *All* is chosen. */
function substituted(query: string): string {
  return query
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('"$namespace"', '".*"')
    .replaceAll('"$source"', '".*"')
    .replaceAll('"$connection"', '".*"');
}

/** These series exist only with the event log in NATS: test/event-log. */
const onlyWithNats = /backlog_scaler_(event_log_\w+|leases_(held|given_up_total))/;

describe('the dashboard', () => {
  it('has the rows and variables that its readers expect', () => {
    expect(dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
      'Overview',
      'Triggers',
      'Sources',
      'GitHub',
      'Ingest',
      'Several pods',
      'RPC',
      'Process',
    ]);
    const variables = dashboard.templating.list.map(({ name }) => name);
    expect(variables).toEqual(['datasource', 'namespace', 'source', 'connection']);
  });

  it('has panels that do not overlap, each with its own ID', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(dashboard.panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  });

  it('shows exactly the documented metrics', () => {
    const family = (name: string) => name.replace(/_(bucket|sum|count)$/, '');
    const shown = dashboardQueries().flatMap(({ query }) => metricsIn(query));
    expect(new Set(shown.map(family))).toEqual(new Set([...documentedMetrics()].map(family)));
  });

  it('leaves nothing unsubstituted', () => {
    expect(dashboardQueries().filter(({ query }) => substituted(query).includes('$'))).toEqual([]);
  });
});

describe('a Prometheus that scrapes a scaler', () => {
  const tools = useTool(() => tool('prometheus'));

  it('has data for every panel, and no rule that fails', async () => {
    const scaler = await EventfulScaler.start();
    const prometheus = await Prometheus.start(tools().prometheus, {
      port: scaler.adminPort,
      labels: { namespace: 'keda' },
      rules: alertNames.map(alertPath),
    });
    onTestFinished(() => prometheus.stop());
    const empty = async ({ query }: { query: string }) =>
      (await prometheus.query(substituted(query))).every(Number.isNaN);
    // Not all at the same time: a rate is empty if nothing has happened lately.
    let missing = dashboardQueries().filter(({ query }) => !onlyWithNats.test(query));
    await vi.waitFor(
      async () => {
        await scaler.happen();
        const still = await Promise.all(missing.map(empty));
        missing = missing.filter((_, at) => still[at]);
        expect(missing.map(({ where }) => where)).toEqual([]);
        const healths = await prometheus.ruleHealth();
        expect([...healths].sort()).toEqual(alertNames.toSorted().map((name) => [name, 'ok']));
      },
      { timeout: 150_000, interval: 300 },
    );
  }, 180_000);
});
