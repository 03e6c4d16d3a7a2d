import { setTimeout as sleep } from 'node:timers/promises';
import { nudgedTarget } from '../../src/scaling/metric.ts';
import { sources } from '../../src/sources/index.ts';
import type { AnySource } from '../../src/sources/source.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { Histories } from '../../src/triggers/history.ts';
import { Nudges } from '../../src/triggers/nudges.ts';
import { OtherPods } from '../../src/triggers/other-pods.ts';
import { type Measured, resolve } from '../../src/triggers/resolve.ts';
import { Trigger, type TriggerHost } from '../../src/triggers/trigger.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import { median } from '../support/statistics.ts';

const triggerCount = 10_000;
const limits = { readingMicros: 1, nudgeMicros: 200 };
/** As many as the configuration allows, so that only the process limits them. */
const pace = { enabled: true, surgesAtOnce: 100 };

export const surge: Row = {
  name: 'surge',
  about: `CPU of a nudge in the process; what ${triggerCount} triggers pay that do not grow`,
  inProcess: true,
  measure,
};

async function measure({ quick, progress }: Bench): Promise<Finding[]> {
  const rounds = quick ? 20 : 200;
  const quiet = quietTriggers(rounds);
  progress('quiet triggers are timed');
  const growing = quick ? 200 : 2000;
  const nudge = await nudgeCost(growing);
  const { onMicros, offMicros, kept } = quiet;
  return [
    {
      what: `a reading that does not grow, ${triggerCount} triggers with both streams: with surge against without`,
      target: `<= ${limits.readingMicros} us more, nothing kept`,
      measured: `${onMicros.toFixed(2)} against ${offMicros.toFixed(2)} us, ${kept} surges kept`,
      met: onMicros - offMicros <= limits.readingMicros && kept === 0,
      numbers: { ...quiet },
    },
    {
      what: `CPU of a nudge, from the reading to the message, with the GetMetrics that answers it, while ${growing} triggers grow`,
      target: `<= ${limits.nudgeMicros} us`,
      measured: `${nudge.micros.toFixed(0)} us (${nudge.nudges} nudges)`,
      met: nudge.micros <= limits.nudgeMicros,
      numbers: { ...nudge },
    },
  ];
}

interface Quiet {
  readonly onMicros: number;
  readonly offMicros: number;
  /** Triggers that still hold state of a surge afterwards. */
  readonly kept: number;
}

/** Both take the same readings, in turns, so that they meet the same machine. */
function quietTriggers(rounds: number): Quiet {
  const on = new Triggers(true);
  const off = new Triggers(false);
  const micros = { on: [] as number[], off: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    micros.off.push(off.readAll(100 + (round % 2)));
    micros.on.push(on.readAll(100 + (round % 2)));
  }
  const kept = on.all.filter((trigger) => trigger.surges.surge !== undefined).length;
  on.close();
  off.close();
  return { onMicros: median(micros.on), offMicros: median(micros.off), kept };
}

/** All grow to twenty replicas, and an HPA answers each nudge. */
async function nudgeCost(growing: number): Promise<{ micros: number; nudges: number }> {
  const triggers = new Triggers(true);
  // Proves that nudges are answered, and gets the code compiled.
  for (const trigger of triggers.all.slice(0, 100)) triggers.read(trigger, 1000);
  await triggers.rest();
  triggers.said = 0;
  const before = process.cpuUsage();
  for (const trigger of triggers.all.slice(100, 100 + growing)) triggers.read(trigger, 1000);
  await triggers.rest();
  const { user, system } = process.cpuUsage(before);
  const nudges = triggers.said;
  triggers.close();
  return { micros: (user + system) / nudges, nudges };
}

/** Triggers without subjects. Their follower is an HPA that looks after each change. */
class Triggers implements TriggerHost {
  readonly all: readonly Trigger[];
  readonly nudges: Nudges;
  readonly others = new OtherPods(() => this.now(), undefined);
  readonly coldReadTimeoutMs = 0;
  readonly histories = new Histories();
  /** Messages on the streams, except those at their opening. */
  said = 0;

  constructor(enabled: boolean) {
    this.nudges = new Nudges({
      now: () => this.now(),
      log: silentLogger,
      metrics: new Metrics(),
      others: this.others,
    });
    this.nudges.use({ ...pace, enabled });
    const measured = work();
    this.all = Array.from({ length: triggerCount }, (_, number) => this.add(number, measured));
    this.said = 0;
  }

  now(): number {
    return performance.now();
  }

  decided(): void {}

  edge(): void {}

  /** In μs for each reading. */
  readAll(items: number): number {
    const startedMs = this.now();
    for (const trigger of this.all) this.read(trigger, items);
    return ((this.now() - startedMs) * 1000) / this.all.length;
  }

  read(trigger: Trigger, items: number): void {
    const nowMs = this.now();
    trigger.measurement.take({ kind: 'known', items, active: true, detail: () => ({}) }, nowMs, nowMs);
  }

  async rest(): Promise<void> {
    while (this.nudges.waiting > 0) await sleep(10);
  }

  close(): void {
    this.nudges.close();
  }

  private add(number: number, measured: Measured): Trigger {
    const trigger = new Trigger(
      `t-${number}`,
      { namespace: 'shop', name: `w-${number}`, metadata: {} },
      this,
    );
    trigger.measure(measured);
    trigger.follow(() => {});
    trigger.followSpec(({ target, nudge = 0 }) => {
      this.said += 1;
      nudgedTarget(target, nudge);
      setImmediate(() => trigger.looked(this.itemsOf(trigger)));
    });
    this.read(trigger, 100);
    trigger.looked(100);
    return trigger;
  }

  private itemsOf(trigger: Trigger): number {
    return trigger.status(this.now()).value ?? 0;
  }
}

/** A trigger with ten items for each replica, resolved like any other. */
function work(): Measured {
  const source: AnySource | undefined = sources.find(({ kind }) => kind === 'events');
  if (!source) throw new Error('there is no source of events');
  const items = [{ backlog: 'work', type: 'com.example.work.requested', state: 'queued', key: 'subject' }];
  const config: unknown = source.config.parse({ items, ttlSeconds: 3600 });
  const connection = { name: 'builds', source, config, namespaces: ['*'], fingerprint: '', place: '' };
  const metadata = { source: 'events', connection: 'builds', backlog: 'work', targetItems: '10' };
  return resolve(
    { namespace: 'shop', name: 'worker', metadata },
    {
      sources,
      connections: new Map([['builds', connection]]),
      maxStalenessSeconds: 60,
      refuseSecretsFromEnv: true,
    },
  );
}
