import type { TriggerStatus } from '../triggers/trigger.ts';
import { inTurns } from './turns.ts';

/** Where the triggers' present state is read. */
export interface TriggerBoard {
  statuses(): Iterable<TriggerStatus>;
}

/** One trigger's labels and numbers, as they go on the page. */
interface Row {
  labels: string;
  value: number | undefined;
  target: number | undefined;
  active: number | undefined;
  ageSeconds: number | undefined;
  up: number;
}

interface Family {
  name: string;
  help: string;
  sample(row: Row): number | undefined;
}

const families: readonly Family[] = [
  {
    name: 'trigger_value',
    help: 'The number KEDA gets for the trigger; absent while it is not known.',
    sample: (row) => row.value,
  },
  {
    name: 'trigger_target',
    help: 'What one replica is good for, in the same unit.',
    sample: (row) => row.target,
  },
  {
    name: 'trigger_active',
    help: '1 while the trigger asks for at least one replica, else 0; absent while it is not known.',
    sample: (row) => row.active,
  },
  {
    name: 'trigger_reading_age_seconds',
    help: 'Time since the source last confirmed the reading; absent before the first one.',
    sample: (row) => row.ageSeconds,
  },
  {
    name: 'trigger_up',
    help: '1 while KEDA gets an answer for the trigger, 0 while it gets an error.',
    sample: (row) => row.up,
  },
];

/**
 * The per-trigger series in Prometheus' text format 0.0.4, in pieces of at most `turnSize` lines; the event loop
 * has its turn between two pieces. The state is taken once, so that the families of one page agree.
 */
export async function* triggerSeries(board: TriggerBoard): AsyncGenerator<string> {
  const rows = await collectRows(board);
  for (const { name, help, sample } of families) {
    yield `# HELP backlog_scaler_${name} ${help}\n# TYPE backlog_scaler_${name} gauge\n`;
    for await (const turn of inTurns(rows)) {
      const lines = turn.map((row) => line(name, row.labels, sample(row))).join('');
      if (lines !== '') yield lines;
    }
  }
}

/**
 * Two triggers of one ScaledObject that measure the same thing with other thresholds have the same labels, and
 * one repeated line makes Prometheus drop the whole page: the first trigger stands for both.
 */
async function collectRows(board: TriggerBoard): Promise<readonly Row[]> {
  const rows = new Map<string, Row>();
  for await (const turn of inTurns(board.statuses())) {
    for (const status of turn) {
      const labels = labelsOf(status);
      if (!rows.has(labels)) rows.set(labels, toRow(labels, status));
    }
  }
  return [...rows.values()];
}

function toRow(labels: string, { value, target, active, ageMs, up }: TriggerStatus): Row {
  return {
    labels,
    value,
    target,
    active: active === undefined ? undefined : Number(active),
    ageSeconds: ageMs === undefined ? undefined : Math.round(ageMs) / 1000,
    up: Number(up),
  };
}

function labelsOf({ namespace, name, source, metricName }: TriggerStatus): string {
  const scaledObject = `scaledobject_namespace="${escapeLabel(namespace)}",scaledobject="${escapeLabel(name)}"`;
  return `{${scaledObject},source="${escapeLabel(source)}",metric="${escapeLabel(metricName)}"}`;
}

function line(name: string, labels: string, value: number | undefined): string {
  return value === undefined ? '' : `backlog_scaler_${name}${labels} ${value}\n`;
}

/** A label's value as the text format wants it. */
function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
