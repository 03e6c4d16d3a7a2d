import { printable } from '../printable.ts';
import type { DrainStep } from '../scaling/drain.ts';
import type { TriggerStatus, TriggerSummary } from '../triggers/trigger-status.ts';
import { inTurns } from '../turns.ts';

/** Where the triggers' present state is read. */
export interface Statuses {
  statuses(): Iterable<TriggerStatus>;
  summaries(): Iterable<TriggerSummary>;
}

/** One trigger's labels and numbers, as they go on the page. */
interface Row {
  labels: string;
  value: number | undefined;
  /** Undefined for a trigger that is refused: it has no metric. */
  target: number | undefined;
  active: number | undefined;
  ageSeconds: number | undefined;
  oldestSeconds: number | undefined;
  oldestAtLeast: boolean;
  /** Only there where the value is not the items. */
  items: number | undefined;
  drain: DrainStep | undefined;
  up: number;
}

interface Family {
  name: string;
  help: string;
  /** The labels, where they are not the trigger's alone. */
  labels?(row: Row): string;
  sample(row: Row): number | undefined;
}

const families: readonly Family[] = [
  {
    name: 'trigger_value',
    help: 'The number that KEDA gets; absent while unknown.',
    sample: (row) => row.value,
  },
  {
    name: 'trigger_target',
    help: 'What one replica is good for.',
    sample: (row) => row.target,
  },
  {
    name: 'trigger_active',
    help: '1 while at least one replica is needed, else 0; absent while unknown.',
    sample: (row) => row.active,
  },
  {
    name: 'trigger_reading_age_seconds',
    help: 'The age of the reading that KEDA gets; absent before the first one.',
    sample: (row) => row.ageSeconds,
  },
  {
    name: 'trigger_oldest_item_age_seconds',
    help: 'How long the oldest item has waited, estimated; absent while nothing waits, or unknown.',
    labels: (row) => withLabel(row.labels, `at_least="${row.oldestAtLeast}"`),
    sample: (row) => row.oldestSeconds,
  },
  {
    name: 'trigger_items',
    help: 'Waiting items; only under policy: drain.',
    sample: (row) => row.items,
  },
  {
    name: 'trigger_arrival_rate',
    help: 'Items a second that arrive; only under policy: drain.',
    sample: (row) => row.drain?.arrivalRate,
  },
  {
    name: 'trigger_replica_rate',
    help: 'Items a second of one replica, measured where learned is true; only under policy: drain.',
    labels: (row) => withLabel(row.labels, `learned="${row.drain?.learned === true}"`),
    sample: (row) => row.drain?.replicaRate,
  },
  {
    name: 'trigger_expected_wait_seconds',
    help: 'How long an item that arrives now will wait; only under policy: drain, and while something works it off.',
    sample: (row) => row.drain?.expectedWaitSeconds,
  },
  {
    name: 'trigger_up',
    help: '1 while KEDA gets an answer, 0 while it gets an error.',
    sample: (row) => row.up,
  },
];

/**
 * The per-trigger series in Prometheus' text format 0.0.4, in pieces of at most `turnSize` lines; the event loop
 * has its turn between two pieces. The state is taken once, so that the families of one page agree.
 */
export async function* triggerSeries(triggers: Statuses): AsyncGenerator<string> {
  const rows = await collectRows(triggers);
  for (const { name, help, labels = ownLabels, sample } of families) {
    yield `# HELP backlog_scaler_${name} ${help}\n# TYPE backlog_scaler_${name} gauge\n`;
    for await (const turn of inTurns(rows, turnSize)) {
      const lines = turn.map((row) => line(name, labels(row), sample(row))).join('');
      if (lines !== '') yield lines;
    }
  }
}

/**
 * Two triggers of one ScaledObject with the same measure and different thresholds have the same labels. A repeated line
 * makes Prometheus drop the whole page, so the first trigger stands for both.
 */
async function collectRows(triggers: Statuses): Promise<readonly Row[]> {
  const rows = new Map<string, Row>();
  for await (const turn of inTurns(triggers.summaries(), turnSize)) {
    for (const status of turn) {
      const labels = labelsOf(status);
      if (!rows.has(labels)) rows.set(labels, toRow(labels, status));
    }
  }
  return [...rows.values()];
}

function toRow(labels: string, status: TriggerSummary): Row {
  const { metricName, items, value, target, active, ageMs, oldest, drain, up } = status;
  return {
    labels,
    value,
    target: metricName === '' ? undefined : target,
    active: active === undefined ? undefined : Number(active),
    ageSeconds: seconds(ageMs),
    oldestSeconds: seconds(oldest?.ageMs),
    oldestAtLeast: oldest?.atLeast === true,
    items: drain && items,
    drain,
    up: Number(up),
  };
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms) / 1000;
}

function ownLabels({ labels }: Row): string {
  return labels;
}

function withLabel(labels: string, more: string): string {
  return `${labels.slice(0, -1)},${more}}`;
}

function labelsOf({ namespace, name, source, metricName }: TriggerSummary): string {
  const scaledObject = `scaledobject_namespace="${escapeLabel(namespace)}",scaledobject="${escapeLabel(name)}"`;
  return `{${scaledObject},source="${escapeLabel(source)}",metric="${escapeLabel(metricName)}"}`;
}

function line(name: string, labels: string, value: number | undefined): string {
  return value === undefined ? '' : `backlog_scaler_${name}${labels} ${value}\n`;
}

/** A label's value in the text format. Authors choose the names of ScaledObjects. */
function escapeLabel(value: string): string {
  return printable(value).replace(/[\\"]/g, '\\$&');
}

/** How many triggers are worked on before the event loop gets its turn: well under a millisecond of work. */
export const turnSize = 50;
