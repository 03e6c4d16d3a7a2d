import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { useKafka } from '../support/kafka/broker.ts';
import { longer, type Row, replaced, usual, withoutGate, withoutStream } from './surge-rows.ts';
import { type Played, Stage } from './surge-stage.ts';
import { printWaits } from './table.ts';
import { useRunningCluster } from './use-cluster.ts';

/** Names of rows, or `all`; where it is set only these are played. */
const { SURGE_ROWS: wanted = '' } = process.env;
const chosen = (row: Row) => wanted === 'all' || wanted.split(',').includes(row.name);
const rows = [...usual.filter((row) => wanted === '' || chosen(row)), ...longer.filter(chosen)];
const limitMs = 20 * 60_000;
const perSecond = ['--kube-api-qps=200', '--kube-api-burst=400'];
/** Twelve nudges a minute and the exact target after them, for no more than two minutes. */
const mostChanges = 26;
const names = {
  nudged: 'external-push',
  pushed: 'external-push, surge: "false"',
  old: 'external-push, KEDA < 2.21',
  keda: 'apache-kafka',
};

const kafka = useKafka();

describe('records in a topic become replicas', () => {
  const cluster = useRunningCluster();

  it.runIf(rows.length > 0)(
    "with this scaler, and with KEDA's own",
    async () => {
      const stage = await Stage.set(cluster(), kafka(), { name: 'shop' });
      await playAll(stage, rows, 'KEDA 2.21, pollingInterval 30');
      await stage.strike();
    },
    limitMs,
  );

  it.runIf(wanted === '')(
    "also where KEDA's operator is replaced in the middle",
    async () => {
      const stage = await Stage.set(cluster(), kafka(), { name: 'restarts' });
      const { end } = await stage.play(replaced, async () => {
        await sleep(100);
        await cluster().keda.replaceOperator();
      });
      reachedAndHeld(replaced, await end);
      await stage.strike();
    },
    limitMs,
  );
});

describe.runIf(wanted !== '')(
  "records in a topic become replicas, where KEDA's operator may ask often",
  () => {
    const cluster = useRunningCluster({ operatorFlags: perSecond });

    it(
      "with this scaler, and with KEDA's own",
      async () => {
        const stage = await Stage.set(cluster(), kafka(), { name: 'shop' });
        await playAll(stage, rows, `KEDA 2.21 ${perSecond.join(' ')}, pollingInterval 30`);
        await stage.strike();
      },
      limitMs,
    );
  },
);

describe.runIf(wanted === '')('where nudges are not to be had', () => {
  const cluster = useRunningCluster({ featureGates: { HPAGeneration: false } });

  it(
    'workloads get their replicas by the clock of the HPA, and the log says so once',
    async () => {
      const stage = await Stage.set(cluster(), kafka(), { name: 'shop' });
      const old = await Stage.set(cluster(), kafka(), { name: 'old' });
      const where = 'HPAGeneration off, pollingInterval 30';
      await Promise.all([playAll(stage, [withoutGate], where), playAll(old, [withoutStream], where)]);
      expect(stage.logged('HPAs do not look when their target changes')).toHaveLength(1);
      expect(await stage.scaler.nudges()).toBeLessThanOrEqual(withoutGate.workloads * mostChanges);
      expect(stage.logged('KEDA opens no StreamMetricSpec')).toEqual([]);
      expect(old.logged('KEDA opens no StreamMetricSpec')).toHaveLength(1);
      expect(await old.scaler.nudges()).toBe(0);
      await stage.strike();
      await old.strike();
    },
    limitMs,
  );
});

/** Prepares each row while the ones before it come to their ends; prints each as soon as it is there. */
async function playAll(stage: Stage, all: readonly Row[], where: string): Promise<void> {
  const ends: Promise<Played>[] = [];
  for (const row of all) {
    const end = (await stage.play(row)).end.then((played) => {
      print(row, played, where);
      return played;
    });
    // It is looked at below, unless another row fails before.
    end.catch(() => {});
    ends.push(end);
  }
  for (const [index, row] of all.entries()) reachedAndHeld(row, (await ends[index]) ?? {});
}

function print({ about }: Row, played: Played, where: string): void {
  const waits = Object.entries(played).flatMap(([way, ran]) => {
    const name = way in names ? names[way as keyof typeof names] : way;
    return [
      [`${name}, the first`, ran.map(({ toOneMs }) => toOneMs)],
      [`${name}, all`, ran.map(({ toAllMs }) => toAllMs)],
    ];
  });
  printWaits(`records in the topic, ${about}, ${where}`, Object.fromEntries(waits));
}

function reachedAndHeld({ to, triggers = 1 }: Row, { keda = [], ...ours }: Played): void {
  for (const { path } of keda) expect(Math.max(...path)).toBe(to);
  for (const { path, changes, targets } of Object.values(ours).flat()) {
    expect(Math.max(...path)).toBe(to);
    expect(path.at(-1)).toBe(to);
    expect(changes).toBeLessThanOrEqual(mostChanges);
    expect(targets).toEqual(Array(triggers).fill('10'));
  }
}
