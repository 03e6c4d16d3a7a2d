import { format } from '../bench/support/report.ts';
import type { Breach, Tally } from './invariants.ts';

/** The result of a fault. */
export interface FaultReport {
  readonly name: string;
  readonly about: string;
  /** By the clock of the breaches. */
  readonly startedMs: number;
  readonly seconds: number;
  /** How often it was broken, and other remarks. */
  readonly told: string;
  readonly tally: Tally | undefined;
  /** How long the machine was too busy to judge anything. */
  readonly starvedSeconds: number;
  readonly breaches: readonly Breach[];
  /** Why it could not be played to its end. */
  readonly failure?: string;
}

/** A line for each fault, as plain text that Markdown shows as a table. */
export function table(reports: readonly FaultReport[]): string {
  const lines = reports.map(({ name, about, told, seconds, tally, starvedSeconds, breaches, failure }) => [
    name,
    about,
    told,
    `${seconds} s`,
    String(tally?.answers ?? 0),
    String(tally?.errors ?? 0),
    String(tally?.edges ?? 0),
    `${starvedSeconds.toFixed(0)} s`,
    `${((tally?.slowestAfterHealingMs ?? 0) / 1000).toFixed(1)} s`,
    failure !== undefined ? 'not played' : breaches.length === 0 ? 'yes' : 'NO',
  ]);
  const heads = [
    'fault',
    'what is broken',
    'how often',
    'took',
    'answers',
    'of them errors',
    'edges',
    'machine too busy for',
    'right again after at most',
    'held',
  ];
  return format([heads, ...lines]);
}

/** What broke, when, and with which seed. Empty if everything held. */
export function breachLines(reports: readonly FaultReport[], seed: number): string {
  return reports
    .flatMap(({ name, startedMs, breaches, failure }) => [
      ...breaches.map(({ rule, atMs, about, detail, times }) => {
        const at = ((atMs - startedMs) / 1000).toFixed(1);
        const often = times === 1 ? '' : ` (the first of ${times})`;
        return `${name}, at ${at} s, seed ${seed}: ${rule}: ${about}: ${detail}${often}\n`;
      }),
      ...(failure === undefined ? [] : [`${name}, seed ${seed}: not played to its end: ${failure}\n`]),
    ])
    .join('');
}
