import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { triggerSeries } from '../../src/admin/trigger-series.ts';
import { parseYaml } from '../../src/config/document.ts';
import { configSchema } from '../../src/config/schema.ts';
import { sources } from '../../src/sources/index.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { listOf, statusWith } from '../support/statuses.ts';

/** The first fenced block of a page, of this language. */
function block(page: string, language: string): string {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  const found = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(text)?.[1];
  if (found === undefined) throw new Error(`docs/${page} has no ${language} block`);
  return found;
}

/** Every series, with labels as they occur. */
async function exposition(): Promise<string> {
  let nowMs = 0;
  const metrics = new Metrics(() => nowMs);
  const source = 'kafka';
  const connection = 'orders';
  metrics.rpcRequests.inc({ method: 'GetMetrics', code: 'OK' });
  metrics.rpcDuration.observe({ method: 'GetMetrics' }, 0.0004);
  metrics.forConnection(source, connection).request('OffsetFetch', 'ok');
  nowMs = 1_800_000;
  metrics.sourceReads.inc({ source, connection, outcome: 'ok' });
  metrics.sourceReadDuration.observe({ source }, 0.004);
  metrics.wakes.inc({ source, connection, cause: 'watch' });
  metrics.edges.inc({ source });
  metrics.nudges.inc({ outcome: 'answered' });
  metrics.growthTold.observe({ by: 'nudge' }, 0.12);
  metrics.ingestRequests.inc({ kind: 'github', outcome: 'accepted' });
  metrics.forConnection('github', 'ci').rateLimitRemaining(4321);
  metrics.leasesHeld.set({ connection: 'ci' }, 1);
  metrics.forConnection('github', 'ci').corrected('opened');
  metrics.leasesGivenUp.inc({ connection: 'ci' });
  metrics.decisionsSent.inc({ outcome: 'accepted' });
  metrics.decisionsDropped.inc({ to: 'sink' });
  metrics.eventLogConnected.set(1);
  metrics.eventLogBuffered.set(1);
  metrics.eventLogForwarded.inc();
  metrics.eventLogDropped.inc({ reason: 'stopped' });
  metrics.streams.set({ rpc: 'StreamIsActive' }, 1);
  metrics.triggers.set({ source }, 1);
  metrics.subjects.set({ source }, 1);
  metrics.tlsCertificateExpiry.set(1_800_000_000);
  metrics.configReloads.inc({ outcome: 'applied' });
  metrics.buildInfo.set({ version: '0.1.0', commit: 'unknown', node: 'v24.21.0' }, 1);
  let text = await metrics.exposition();
  for await (const chunk of triggerSeries(listOf([withAll]))) text += chunk;
  return text;
}

/** Each series of an exposition once: what it is, then its name with its labels. Only a histogram has its type. */
function listed(text: string): string {
  const families = text.split('# HELP ').slice(1);
  return families
    .map((family) => {
      const [help = '', type = '', ...samples] = family.trim().split('\n');
      const kind = type.split(' ').at(-1);
      // The sum of a histogram has its own labels alone.
      const sample = kind === 'histogram' ? samples.find((one) => one.includes('_sum')) : samples[0];
      const series = sample?.replace('_sum', '').replace(/ \S+$/, '');
      const marked = kind === 'histogram' ? `${series} ${kind}` : series;
      return `# ${help.slice(help.indexOf(' ') + 1)}\n${marked}\n`;
    })
    .join('');
}

const withAll = statusWith({
  oldest: { ageMs: 12_345, atLeast: false },
  items: 42,
  drain: {
    desired: 3,
    because: 'need',
    arrivalRate: 1.5,
    consumptionRate: 2,
    replicaRate: 0.75,
    learned: true,
    expectedWaitSeconds: 21,
    settled: true,
  },
});

describe('docs', () => {
  it('metrics.md shows every series: names, help, types and labels', async () => {
    expect(listed(await exposition())).toBe(block('metrics.md', 'text'));
  });

  it('configuration.md has an example that can be used', () => {
    const parsed = parseYaml(block('configuration.md', 'yaml'));
    const { connections } = configSchema.parse('value' in parsed ? parsed.value : undefined);
    expect(Object.keys(connections)).toEqual(['orders']);
    for (const { source } of Object.values(connections))
      expect(sources.map(({ kind }) => kind)).toContain(source);
  });
});
