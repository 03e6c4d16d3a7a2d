/**
 * GitHub's date search: `2026-01-01`, `>=2026-01-01T00:00:00Z`, `<…`, `a..b`, `a..*` (docs.github.com, "Understanding
 * the search syntax"). An unreadable one filters nothing.
 */
export function createdFilter(text: string | null): (createdAtMs: number) => boolean {
  if (text === null) return () => true;
  const [from = '', to] = text.split('..');
  if (to !== undefined) return between(from === '*' ? undefined : from, to === '*' ? undefined : to);
  const [, comparison = '', date = ''] = /^(>=|<=|>|<)?(.*)$/.exec(text) ?? [];
  const ms = Date.parse(date);
  if (Number.isNaN(ms)) return () => true;
  if (comparison === '>=') return (created) => created >= ms;
  if (comparison === '>') return (created) => created > ms;
  if (comparison === '<=') return (created) => created <= endOf(date);
  if (comparison === '<') return (created) => created < ms;
  return (created) => created >= ms && created <= endOf(date);
}

function between(from: string | undefined, to: string | undefined): (createdAtMs: number) => boolean {
  const first = from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(from);
  const last = to === undefined ? Number.POSITIVE_INFINITY : endOf(to);
  return (created) => created >= first && created <= last;
}

/** A date without a time means the whole day. */
function endOf(date: string): number {
  return Date.parse(date) + (date.includes('T') ? 999 : 86_399_999);
}
