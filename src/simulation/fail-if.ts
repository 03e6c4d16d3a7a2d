import { didYouMean } from '../params/suggest.ts';
import { quote } from '../printable.ts';
import type { Outcome } from './play.ts';

/** What `--fail-if` can look at; docs/simulate.md has this table. Waits are in seconds. */
export const quantities: Readonly<Record<string, { doc: string; of(outcome: Outcome): number }>> = {
  worstwait: { doc: 'the longest wait, s', of: (outcome) => outcome.worstWaitSeconds },
  p99wait: { doc: 'the wait that 1 % of the items exceed, s', of: (outcome) => outcome.p99WaitSeconds },
  p50wait: { doc: 'the wait that half of the items exceed, s', of: (outcome) => outcome.p50WaitSeconds },
  replicahours: { doc: 'replicas × hours', of: (outcome) => outcome.replicaHours },
  scaleups: { doc: 'times that replicas were added', of: (outcome) => outcome.scaleUps },
  scaledowns: { doc: 'times that replicas were taken away', of: (outcome) => outcome.scaleDowns },
  podstarts: { doc: 'pods that were started', of: (outcome) => outcome.podStarts },
  mostreplicas: { doc: 'the most replicas', of: (outcome) => outcome.mostReplicas },
  mostbacklog: { doc: 'the most items that waited or were worked on', of: (outcome) => outcome.mostBacklog },
  left: { doc: 'items that were left at the end of the history', of: (outcome) => outcome.leftAtEnd },
};

const comparisons = {
  '>': (a: number, b: number) => a > b,
  '>=': (a: number, b: number) => a >= b,
  '<': (a: number, b: number) => a < b,
  '<=': (a: number, b: number) => a <= b,
} as const;

export interface FailIf {
  /** As it was written. */
  readonly text: string;
  /** The setting that it checks. Undefined means every one. */
  readonly setting: string | undefined;
  /** The fault of an outcome, or undefined. */
  failing(outcome: Outcome): string | undefined;
}

/** Reads `p99wait>120`, or `SETTING: p99wait>120`. Returns what is wrong with it as a text. */
export function readFailIf(text: string, settings: readonly string[]): FailIf | string {
  const [, setting, name = '', sign = '', number = ''] =
    /^(?:(.+):)?\s*([a-z]\w*)\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?)\s*$/i.exec(text) ?? [];
  if (name === '') {
    return `must be QUANTITY, one of > >= < <=, and a number, as in 'p99wait>120', got ${quote(text)}`;
  }
  const known = Object.keys(quantities);
  const quantity = Object.hasOwn(quantities, name.toLowerCase()) ? quantities[name.toLowerCase()] : undefined;
  if (quantity === undefined) {
    return `${quote(name)} is none of ${known.join(', ')}${didYouMean(name, known)}`;
  }
  const named = setting?.trim();
  if (named !== undefined && !settings.includes(named)) {
    return `there is no setting ${quote(named)}, only ${settings.map(quote).join(', ')}`;
  }
  const compare = Object.entries(comparisons).find(([one]) => one === sign)?.[1];
  return {
    text,
    setting: named,
    failing: (outcome) => {
      const value = quantity.of(outcome);
      return compare?.(value, Number(number)) ? `${name.toLowerCase()} is ${rounded(value)}` : undefined;
    },
  };
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
