/**
 * The query of the next page, by RFC 8288's `Link`. Only the query: path and host are ours, so that no header can
 * send our credentials elsewhere.
 */
export function nextQuery(link: string | null): string | undefined {
  for (const part of (link ?? '').split(',')) {
    const match = /^\s*<([^<>]*)>(.*)$/.exec(part);
    if (match === null || !/;\s*rel="?next"?\s*(;|$)/i.test(match[2] ?? '')) continue;
    const query = (match[1] ?? '').split('?')[1];
    if (query !== undefined && query !== '') return query;
  }
  return undefined;
}
