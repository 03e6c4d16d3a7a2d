/** Sums the samples of a metric by the values of a label (Prometheus text format 0.0.4). */
export function sumBy(exposition: string, metric: string, label: string): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  const labelled = new RegExp(`[{,]${label}="([^"]*)"`);
  for (const line of exposition.split('\n')) {
    if (!line.startsWith(`${metric}{`)) continue;
    const value = labelled.exec(line)?.[1] ?? '';
    sums.set(value, (sums.get(value) ?? 0) + Number(line.slice(line.lastIndexOf(' '))));
  }
  return sums;
}

/** The difference of two counts. */
export function increase(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  return new Map([...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)]));
}

export function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
