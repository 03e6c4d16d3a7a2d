import { printable } from '../printable.ts';
import { type Comparison, count, duration, summary } from './compare.ts';
import type { Outcome } from './play.ts';

export interface TextLayout {
  /** Characters of a line, 40 at least. */
  readonly columns: number;
  readonly colour: boolean;
}

const chartRows = 4;
const levels = ' ▁▂▃▄▅▆▇█';
/** ANSI: bold. */
const heading = (text: string, { colour }: TextLayout): string =>
  colour ? `\u001b[1m${text}\u001b[0m` : text;
/** ANSI: cyan, yellow. */
const paint = (text: string, code: number, { colour }: TextLayout): string =>
  colour ? `\u001b[${code}m${text}\u001b[0m` : text;

/** Charts, a table, and what is to be known of them; plain text that ends with a line's end. Pure. */
export function comparisonText(comparison: Comparison, given: TextLayout): string {
  const layout = { ...given, columns: Math.max(40, given.columns) };
  const { settings, notes } = comparison;
  const most = (of: (outcome: Outcome) => readonly number[]): number =>
    Math.max(...settings.flatMap((one) => of(one)));
  const [mostReplicas, mostWait] = [
    most(({ series }) => series.replicas),
    most(({ series }) => series.oldestWaitSeconds),
  ];
  const lines = [
    ...wrapped(summary(comparison), layout.columns),
    '',
    heading('Arrivals, items a minute', layout),
    ...chart(comparison.arrivalsAMinute, Math.max(1, ...comparison.arrivalsAMinute), count, 32, layout),
    clock(comparison, layout),
  ];
  for (const { name, series } of settings) {
    lines.push('', ...wrapped(printable(name), layout.columns).map((line) => heading(line, layout)));
    lines.push('replicas', ...chart(series.replicas, Math.max(1, mostReplicas), count, 36, layout));
    lines.push(
      'oldest wait',
      ...chart(series.oldestWaitSeconds, Math.max(1, mostWait), duration, 33, layout),
    );
    lines.push(clock(comparison, layout));
  }
  lines.push('', ...table(settings, layout));
  if (notes.length > 0)
    lines.push('', ...notes.flatMap((note) => wrapped(`- ${printable(note)}`, layout.columns, '  ')));
  return `${lines.join('\n')}\n`;
}

const labelWidth = 9;

function chart(
  values: readonly number[],
  most: number,
  label: (value: number) => string,
  colour: number,
  layout: TextLayout,
): string[] {
  const columns = resampled(values, layout.columns - labelWidth - 2);
  return Array.from({ length: chartRows }, (_, i) => {
    const below = chartRows - 1 - i;
    const cells = columns.map((value) => {
      const eighths = value === 0 ? 0 : Math.max(1, Math.round((value / most) * chartRows * 8));
      return levels[Math.min(8, Math.max(0, eighths - below * 8))];
    });
    const text = i === 0 ? label(most) : i === chartRows - 1 ? '0' : '';
    return `${text.padStart(labelWidth)} │${paint(cells.join('').trimEnd(), colour, layout)}`;
  });
}

/** The most of each piece. */
function resampled(values: readonly number[], width: number): readonly number[] {
  return Array.from({ length: width }, (_, i) => {
    const from = Math.floor((i * values.length) / width);
    const to = Math.max(from + 1, Math.floor(((i + 1) * values.length) / width));
    return Math.max(...values.slice(from, to));
  });
}

/** Times below a chart, each where it belongs. */
function clock({ startMs, seconds }: Comparison, { columns }: TextLayout): string {
  const width = columns - labelWidth - 2;
  const marks = Math.max(2, Math.floor(width / 14));
  let line = '';
  for (let i = 0; i < marks; i += 1) {
    const column = Math.floor((i * width) / marks);
    const at = new Date(startMs + (seconds * 1000 * i) / marks).toISOString();
    line =
      line.padEnd(column) +
      (seconds > 86_400 ? at.slice(5, 16).replace('T', ' ') : at.slice(11, seconds < 600 ? 19 : 16));
  }
  return ' '.repeat(labelWidth + 2) + line;
}

const fields: readonly (readonly [name: string, of: (outcome: Outcome) => string])[] = [
  [
    'worst wait',
    (one) => (one.neverTaken > 0 ? `>${duration(one.worstWaitSeconds)}` : duration(one.worstWaitSeconds)),
  ],
  ['p99 wait', (one) => duration(one.p99WaitSeconds)],
  ['replica-h', (one) => one.replicaHours.toFixed(1)],
  ['most', (one) => count(one.mostReplicas)],
  ['up', (one) => count(one.scaleUps)],
  ['down', (one) => count(one.scaleDowns)],
  ['pods', (one) => count(one.podStarts)],
];

/** A row for each setting; on a narrow page a block for each. */
function table(settings: Comparison['settings'], layout: TextLayout): string[] {
  const rows = settings.map((one) => fields.map(([, of]) => of(one)));
  const widths = fields.map(([name], i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const used = widths.reduce((sum, width) => sum + width + 2, 0);
  const nameWidth = Math.max(7, ...settings.map(({ name }) => printable(name).length));
  if (nameWidth + used > layout.columns) {
    return settings.flatMap(({ name }, i) => [
      ...wrapped(printable(name), layout.columns).map((line) => heading(line, layout)),
      ...fields.map(([field], column) => `  ${field.padEnd(12)}${rows[i]?.[column]}`),
    ]);
  }
  const line = (first: string, cells: readonly string[]): string =>
    first.padEnd(nameWidth) + cells.map((cell, i) => `  ${cell.padStart(widths[i] ?? 0)}`).join('');
  return [
    heading(
      line(
        'setting',
        fields.map(([name]) => name),
      ),
      layout,
    ),
    ...settings.map(({ name }, i) => line(printable(name), rows[i] ?? [])),
  ];
}

function wrapped(text: string, columns: number, then = ''): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = then + word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
