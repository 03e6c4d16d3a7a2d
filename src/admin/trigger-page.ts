import type { TriggerStatus } from '../triggers/trigger-status.ts';
import { inTurns } from '../turns.ts';
import { type Statuses, turnSize } from './trigger-series.ts';

const maxPageSize = 1000;
const defaultPageSize = 100;
const knownParameters = ['limit', 'cursor', 'namespace'];

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

/** A trigger that is refused has no metric and no target; it may have no connection and no source either. */
type TriggerView = Omit<TriggerStatus, Counted | 'drain' | Unresolved> &
  Partial<Pick<TriggerStatus, Unresolved>> & {
    ageSeconds?: number;
    oldestItemAgeSeconds?: number;
    /** Only there, and true, where the oldest item may be much older. */
    oldestItemAgeAtLeast?: boolean;
    lastWake?: { cause: string; secondsAgo: number };
    lastNudge?: { secondsAgo: number };
    lastError?: { message: string; secondsAgo: number };
  };
/** The fields in seconds. */
type Counted = 'ageMs' | 'oldest' | 'lastWake' | 'lastNudge' | 'lastError';
type Unresolved = 'source' | 'connection' | 'metricName' | 'target';

interface Candidate {
  key: string;
  status: TriggerStatus;
}

/**
 * A page of triggers, sorted by namespace, name and metric. A page starts after the last trigger of the one
 * before, not at a position, so triggers that come and go in between make none appear twice or be missed.
 */
export async function triggerPage(
  triggers: Statuses,
  { limit, cursor, namespace }: PageQuery,
): Promise<TriggerPage> {
  const after = cursor === undefined ? '' : decodeCursor(cursor);
  const wanted = limit + 1;
  let first: Candidate[] = [];
  for await (const turn of inTurns(triggers.statuses(), turnSize)) {
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
  const views = page.slice(0, limit).map(({ status }) => view(status));
  return page.length > limit && last !== undefined
    ? { triggers: views, nextCursor: encodeCursor(last.key) }
    : { triggers: views };
}

/** Unique by the ID. */
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

function view({
  drain: _drain,
  ageMs,
  source,
  connection,
  metricName,
  target,
  oldest,
  lastWake,
  lastNudge,
  lastError,
  ...shown
}: TriggerStatus): TriggerView {
  return {
    ...shown,
    ...(source !== '' && { source }),
    ...(connection !== '' && { connection }),
    ...(metricName !== '' && { metricName, target }),
    ...(ageMs !== undefined && { ageSeconds: secondsOf(ageMs) }),
    ...(oldest && { oldestItemAgeSeconds: secondsOf(oldest.ageMs) }),
    ...(oldest?.atLeast && { oldestItemAgeAtLeast: true }),
    ...(lastWake && { lastWake: { cause: lastWake.cause, secondsAgo: secondsOf(lastWake.ageMs) } }),
    ...(lastNudge && { lastNudge: { secondsAgo: secondsOf(lastNudge.ageMs) } }),
    ...(lastError && { lastError: { message: lastError.message, secondsAgo: secondsOf(lastError.ageMs) } }),
  };
}

function secondsOf(ms: number): number {
  return Math.round(ms) / 1000;
}

/** `?limit=&cursor=&namespace=` of a page. */
export function parsePageQuery(query: unknown): PageQuery | { fault: string } {
  const given = new Map(Object.entries(query ?? {}));
  if ([...given.keys()].some((key) => !knownParameters.includes(key)))
    return { fault: `unknown query parameter; known are ${knownParameters.join(', ')}` };
  const limit = given.get('limit') ?? String(defaultPageSize);
  const size = typeof limit === 'string' && /^\d{1,4}$/.test(limit) ? Number(limit) : 0;
  if (size < 1 || size > maxPageSize)
    return { fault: `limit must be a whole number from 1 to ${maxPageSize}` };
  const cursor = given.get('cursor');
  const namespace = given.get('namespace');
  if (Array.isArray(cursor) || Array.isArray(namespace))
    return { fault: 'each query parameter may be given once' };
  return {
    limit: size,
    ...(typeof cursor === 'string' ? { cursor } : {}),
    ...(typeof namespace === 'string' ? { namespace } : {}),
  };
}
