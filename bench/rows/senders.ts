import { honestWebhooks } from '../../fakes/senders/honest.ts';
import { attack, type HostileName, hostileSenders } from '../../fakes/senders/hostile.ts';
import { turnInWords } from '../support/child-process.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import { median, quantile } from '../support/statistics.ts';

const perSecond = 200;
const limits = { p99Ms: 20, turnMs: 50 };
const owner = 'acme';
const secret = 'bench-bench-bench';
const token = 'bench-tenant-bench';
const snsTopic = 'arn:aws:sns:eu-central-1:123456789012:bench';
const all = Object.keys(hostileSenders) as HostileName[];

/** Each with its own scaler, so that none finds what another has left. */
export const senders: Row = {
  name: 'senders',
  about: `signed webhooks, ${perSecond}/s, beside hostile senders, one at a time and all at once`,
  async measure(bench) {
    const scenes: [string, readonly HostileName[]][] = [
      ['nobody', []],
      ...all.map((name): [string, readonly HostileName[]] => [name, [name]]),
      ['all of them at once', all],
    ];
    const findings: Finding[] = [];
    for (const [beside, names] of scenes) findings.push(await measure(beside, names, bench));
    return findings;
  },
};

async function measure(
  beside: string,
  names: readonly HostileName[],
  { quick, checkout, progress }: Bench,
): Promise<Finding> {
  const item = { backlog: 'work', type: 'com.example.work.*', state: 'queued', key: 'subject' };
  const config = {
    limits: { firstSyncTimeoutSeconds: 0.1 },
    security: { allowPlaintextSecrets: true },
    ingest: { host: '127.0.0.1', port: 0, tokens: [{ name: 'tenant', token, connections: ['builds'] }] },
    eventLog: { type: 'file', dir: 'events' },
    connections: {
      // Nobody listens there, so jobs come only by webhook.
      ci: { source: 'github', owner, token: 't', webhookSecret: secret, apiUrl: 'http://127.0.0.1:9' },
      builds: { source: 'events', ttlSeconds: 3600, items: [item] },
      jobs: { source: 'sqs', region: 'eu-central-1', snsTopics: [snsTopic] },
    },
  };
  const scaler = await checkout.serve(config, { probed: true });
  try {
    const port = Number(new URL(scaler.ingestUrl).port);
    const honest = { port, path: '/ingest/github/ci', secret, owner };
    await honestWebhooks(honest, { perSecond, count: perSecond });
    await scaler.process.longestTurn();
    const target = { port, connection: 'builds', token, snsConnection: 'jobs', snsTopic };
    const attacks = names.length === 0 ? undefined : attack(names, target, { inSpareTime: true });
    const count = perSecond * (quick ? 3 : 30);
    const { tookMs, lost } = await honestWebhooks(honest, { perSecond, count });
    const turn = await scaler.process.longestTurn();
    const done = (await attacks?.stop()) ?? new Map<string, number>();
    const [p50Ms, p99Ms, maxMs] = [median(tookMs), quantile(tookMs, 0.99), Math.max(...tookMs)];
    const attempts = [...done.values()].reduce((sum, each) => sum + each, 0);
    progress(
      `beside ${beside} (${attempts} attempts): p99 ${p99Ms.toFixed(1)} ms, ${lost.length} lost, longest turn ${turn.cpuMs.toFixed(0)} ms`,
    );
    return {
      what: `webhook posted to 202, ${perSecond}/s, beside ${beside}`,
      target: `p99 <= ${limits.p99Ms} ms, none lost, longest turn <= ${limits.turnMs} ms of work`,
      measured: `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(1)} ms, max ${maxMs.toFixed(1)}, ${lost.length} of ${count} lost, longest turn ${turnInWords(turn)}`,
      met: p99Ms <= limits.p99Ms && lost.length === 0 && turn.cpuMs <= limits.turnMs,
      numbers: {
        p50Ms,
        p99Ms,
        maxMs,
        lost: lost.length,
        webhooks: count,
        attempts,
        turnMs: turn.ms,
        turnCpuMs: turn.cpuMs,
      },
    };
  } finally {
    await scaler.stop();
  }
}
