/** A page of a list, and the `Link` to the others. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly headers: Record<string, string>;
}

/** `total` is how many entries paging can reach, if not all. */
export function paged<T>(all: readonly T[], url: URL, total = all.length): Page<T> {
  const perPage = perPageOf(url);
  const page = Math.max(1, Number(url.searchParams.get('page') ?? 1) || 1);
  const last = Math.max(1, Math.ceil(total / perPage));
  const items = all.slice((page - 1) * perPage, Math.min(page * perPage, total));
  const to: [string, number][] = [];
  if (page > 1) to.push(['prev', Math.min(page - 1, last)]);
  if (page < last) to.push(['next', page + 1], ['last', last]);
  if (page > 1) to.push(['first', 1]);
  const links = to.map(([rel, number]) => link(url, { page: String(number) }, rel));
  return { items, headers: links.length === 0 ? {} : { link: links.join(', ') } };
}

/** At most 100, as at GitHub. */
export function perPageOf(url: URL): number {
  const asked = Number(url.searchParams.get('per_page') ?? 30);
  return Number.isInteger(asked) && asked > 0 ? Math.min(asked, 100) : 30;
}

export function link(url: URL, query: Record<string, string>, rel: string): string {
  const to = new URL(url);
  for (const [key, value] of Object.entries(query)) to.searchParams.set(key, value);
  return `<${to.href}>; rel="${rel}"`;
}
