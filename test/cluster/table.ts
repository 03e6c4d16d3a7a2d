import { loadavg } from 'node:os';

/** Prints the waits of each name, in seconds: the least, the median and the longest. */
export function printWaits(title: string, waitsMs: Readonly<Record<string, readonly number[]>>): void {
  const width = Math.max(...Object.keys(waitsMs).map((name) => name.length));
  const line = (name: string, cells: readonly string[]) =>
    name.padEnd(width) + cells.map((cell) => cell.padStart(10)).join('');
  const heads = line('', ['min', 'median', 'max', 'n']);
  const lines = Object.entries(waitsMs).map(([name, each]) => line(name, summary(each)));
  const load = loadavg()[0]?.toFixed(1);
  console.info([`${title}, in seconds; load ${load}`, heads, ...lines].join('\n'));
}

function summary(valuesMs: readonly number[]): string[] {
  const sorted = valuesMs.toSorted((a, b) => a - b);
  const at = (share: number) =>
    ((sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN) / 1000).toFixed(3);
  return [at(0), at(0.5), at(1), String(sorted.length)];
}
