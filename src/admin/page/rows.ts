import type { Change, Row } from './wire.ts';

/* The triggers that the page knows, and which of them it shows in which order. No DOM. */

export type State = 'failing' | 'active' | 'idle' | 'starting';
export const sortKeys = [
  'name',
  'source',
  'backlog',
  'value',
  'desired',
  'state',
  'age',
  'wake',
  'nudge',
  'error',
] as const;
export type SortKey = (typeof sortKeys)[number];

export interface Wanted {
  readonly search: string;
  /** Empty: all. */
  readonly namespace: string;
  readonly state: State | '';
  readonly sort: SortKey;
  readonly descending: boolean;
}

/** What fails comes first, then what works. */
export const everything: Wanted = { search: '', namespace: '', state: '', sort: 'state', descending: true };

/** A trigger with what it is found and sorted by. */
export interface Shown {
  row: Row;
  readonly text: string;
  readonly label: string;
  state: State;
  /** When its reading was confirmed, by the scaler's clock. */
  readAt: number | undefined;
}

export interface Totals {
  readonly triggers: number;
  readonly active: number;
  readonly failing: number;
  readonly items: number;
  readonly desired: number;
}

export class Rows {
  private readonly all = new Map<number, Shown>();
  private readonly ids = new Map<string, number>();

  get size(): number {
    return this.all.size;
  }

  apply({ rows = [], ages = [], gone = [] }: Change): void {
    for (const row of rows) {
      const known = this.all.get(row.n);
      if (known) {
        known.row = row;
        known.state = stateOf(row);
      } else {
        this.all.set(row.n, shownOf(row));
        this.ids.set(row.id, row.n);
      }
    }
    for (let i = 0; i + 1 < ages.length; i += 2) {
      const known = this.all.get(ages[i] ?? 0);
      if (known) known.readAt = ages[i + 1];
    }
    for (const n of gone) {
      const known = this.all.get(n);
      this.all.delete(n);
      if (known && this.ids.get(known.row.id) === n) this.ids.delete(known.row.id);
    }
  }

  byId(id: string): Shown | undefined {
    return this.all.get(this.ids.get(id) ?? -1);
  }

  namespaces(): string[] {
    return [...new Set([...this.all.values()].map(({ row }) => row.namespace))].sort();
  }

  totals(): Totals {
    const totals = { triggers: this.all.size, active: 0, failing: 0, items: 0, desired: 0 };
    for (const { row, state } of this.all.values()) {
      if (row.active === true) totals.active += 1;
      if (state === 'failing') totals.failing += 1;
      totals.items += row.items ?? 0;
      totals.desired += row.active === true ? (row.desired ?? 0) : 0;
    }
    return totals;
  }

  /** Those that are wanted, in their order. Every word of the search must be found. */
  find({ search, namespace, state, sort, descending }: Wanted): Shown[] {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const found: Shown[] = [];
    for (const shown of this.all.values()) {
      if (namespace !== '' && shown.row.namespace !== namespace) continue;
      if (state !== '' && shown.state !== state) continue;
      if (words.every((word) => shown.text.includes(word))) found.push(shown);
    }
    const keyOf = keys[sort];
    const sign = descending ? -1 : 1;
    return found.sort((a, b) => sign * compare(keyOf(a), keyOf(b)) || compare(a.label, b.label));
  }
}

function shownOf(row: Row): Shown {
  const { namespace, name, source, connection, metricName } = row;
  return {
    row,
    text: [`${namespace}/${name}`, source, connection, metricName].join(' ').toLowerCase(),
    label: `${name} ${namespace} ${metricName}`,
    state: stateOf(row),
    readAt: undefined,
  };
}

/** An error that does not count yet (the last good reading still holds) is failing all the same: it will. */
export function stateOf({ up, active, error }: Row): State {
  if (error !== undefined) return 'failing';
  if (active === true) return 'active';
  return active === false && up ? 'idle' : 'starting';
}

const states: Readonly<Record<State, number>> = { failing: 3, active: 2, starting: 1, idle: 0 };

/** What is not known comes first going up, and last going down. */
const keys: Readonly<Record<SortKey, (shown: Shown) => number | string>> = {
  name: ({ label }) => label,
  source: ({ row }) => `${row.source} ${row.connection}`,
  backlog: ({ row }) => row.items ?? -1,
  value: ({ row }) => row.value ?? -1,
  desired: ({ row }) => row.desired ?? -1,
  state: ({ state }) => states[state],
  age: ({ readAt }) => -(readAt ?? Number.POSITIVE_INFINITY),
  wake: ({ row }) => row.wake?.at ?? -1,
  nudge: ({ row }) => row.nudgeAt ?? -1,
  error: ({ row }) => row.error ?? row.lastError?.message ?? '',
};

function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : Number(a > b);
}
