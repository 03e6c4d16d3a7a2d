import type { TriggerStatus } from '../triggers/trigger.ts';
import type { TriggerBoard } from './trigger-series.ts';
import { inTurns } from './turns.ts';

export const maxPageSize = 1000;
export const defaultPageSize = 100;

export interface PageQuery {
  limit: number;
  /** From the previous page; the first page has none. */
  cursor?: string;
  namespace?: string;
}

export interface TriggerPage {
  triggers: TriggerView[];
  /** Asks for the next page; absent on the last one. */
  nextCursor?: string;
}

type TriggerView = Omit<TriggerStatus, 'id' | 'ageMs'> & { ageSeconds?: number };

interface Candidate {
  key: string;
  status: TriggerStatus;
}

/**
 * A page of triggers, sorted by namespace, name and metric. A page starts after the last trigger of the one
 * before, not at a position, so triggers that come and go in between make none appear twice or be missed.
 */
export async function triggerPage(
  board: TriggerBoard,
  { limit, cursor, namespace }: PageQuery,
): Promise<TriggerPage> {
  const after = cursor === undefined ? '' : decodeCursor(cursor);
  const wanted = limit + 1;
  let first: Candidate[] = [];
  for await (const turn of inTurns(board.statuses())) {
    for (const status of turn) {
      if (namespace !== undefined && status.namespace !== namespace) continue;
      const key = sortKey(status);
      if (key > after) first.push({ key, status });
    }
    // Never much more than a page is kept, and never much more is sorted in one turn.
    if (first.length > 2 * wanted) first = smallest(first, wanted);
  }
  const page = smallest(first, wanted);
  const last = page[limit - 1];
  const triggers = page.slice(0, limit).map(({ status }) => view(status));
  return page.length > limit && last !== undefined
    ? { triggers, nextCursor: encodeCursor(last.key) }
    : { triggers };
}

/** The parts cannot run into each other: none of them holds a NUL. */
function sortKey({ namespace, name, source, metricName, id }: TriggerStatus): string {
  return [namespace, name, source, metricName, id].join('\0');
}

function smallest(candidates: Candidate[], count: number): Candidate[] {
  return candidates.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, count);
}

function encodeCursor(key: string): string {
  return Buffer.from(key).toString('base64url');
}

function decodeCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString();
}

function view({ id: _, ageMs, ...shown }: TriggerStatus): TriggerView {
  return { ...shown, ...(ageMs === undefined ? {} : { ageSeconds: Math.round(ageMs) / 1000 }) };
}
