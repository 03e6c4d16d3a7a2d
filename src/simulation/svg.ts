import { printable } from '../printable.ts';
import { type Comparison, count, duration, summary } from './compare.ts';

const width = 960;
const panelHeight = 150;
const left = 84;
const right = 16;
/** Above each panel, for its title. */
const gap = 44;
const rowHeight = 22;
/** Settings differ by dashes and colors. */
const dashes = ['', '7 4', '2 3', '10 3 2 3', '14 4', '4 2', '1 4', '8 2 2 2'];

interface Colours {
  readonly page: string;
  readonly text: string;
  readonly faint: string;
  readonly lines: readonly string[];
}

const light: Colours = {
  page: '#fff',
  text: '#1c1e21',
  faint: '#d5d8dc',
  lines: ['#0072b2', '#c24e00', '#007a5a', '#a8487f', '#6b5d00', '#37718e', '#444', '#8a2be2'],
};
const dark: Colours = {
  page: '#15181c',
  text: '#e6e8ea',
  faint: '#3b4047',
  lines: ['#56b4e9', '#ff9a52', '#2fd6a6', '#e79ac5', '#f0e442', '#9cc9de', '#bbb', '#c9a0ff'],
};

const coloured = ({ page, text, faint, lines }: Colours): string =>
  [
    `.page { fill: ${page}; } text, .area { fill: ${text}; } .grid { stroke: ${faint}; }`,
    ...lines.map((colour, i) => `.s${i} { stroke: ${colour}; }`),
  ].join(' ');

const style = `
  text { font: 13px system-ui, sans-serif; } .title { font-weight: 600; } .end { text-anchor: end; }
  .area { opacity: .4; } .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
  ${dashes.map((dash, i) => (dash === '' ? '' : `.s${i} { stroke-dasharray: ${dash}; }`)).join(' ')}
  ${coloured(light)}
  @media (prefers-color-scheme: dark) { ${coloured(dark)} }
`;

/** A picture of a comparison, for light and dark pages, that also says in words what it shows. Every text is escaped. Pure. */
export function comparisonSvg(comparison: Comparison): string {
  const { arrivalsAMinute, settings } = comparison;
  const replicas = settings.map(({ series }) => series.replicas);
  const waits = settings.map(({ series }) => series.oldestWaitSeconds);
  const panels = [
    panel(0, 'Arrivals, items a minute', [arrivalsAMinute], count, 'area'),
    panel(1, 'Replicas', replicas, count, 'line'),
    panel(2, 'Wait of the oldest item', waits, duration, 'line'),
  ];
  const below = 3 * (panelHeight + gap) + 24;
  const height = below + clockHeight + (settings.length + 1) * rowHeight + 12;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">
<title id="title">${escaped(summary(comparison))}</title>
<desc id="description">${escaped(words(settings))}</desc>
<style>${style}</style>
<rect class="page" width="${width}" height="${height}"/>
<text class="title" x="16" y="22">${escaped(summary(comparison))}</text>
${panels.join('\n')}
${clock(comparison, below)}
${table(settings, below + clockHeight)}
</svg>
`;
}

const clockHeight = 48;

function words(settings: Comparison['settings']): string {
  return settings
    .map((one) => {
      const waits = `worst wait ${duration(one.worstWaitSeconds)}, p99 wait ${duration(one.p99WaitSeconds)}`;
      const changes = `${count(one.scaleUps)} times up, ${count(one.scaleDowns)} down`;
      return `${one.name}: ${waits}, ${one.replicaHours.toFixed(1)} replica-hours, ${changes}, ${count(one.podStarts)} pod starts.`;
    })
    .join(' ');
}

function panel(
  index: number,
  title: string,
  lines: readonly (readonly number[])[],
  label: (value: number) => string,
  kind: 'area' | 'line',
): string {
  const top = 24 + index * (panelHeight + gap) + gap;
  const bottom = top + panelHeight;
  const most = Math.max(1, ...lines.flat());
  const grid = [0, 0.5, 1].map((part) => {
    const y = (bottom - part * panelHeight).toFixed(1);
    return `<path class="grid" d="M${left} ${y}H${width - right}"/><text class="end" x="${left - 8}" y="${Number(y) + 4}">${escaped(label(part * most))}</text>`;
  });
  const drawn = lines.map((values, i) => {
    const path = steps(values, most, bottom);
    return kind === 'area'
      ? `<path class="area" d="M${left} ${bottom}V${path.slice(path.indexOf(' ') + 1)}V${bottom}Z"/>`
      : `<path class="line s${i}" d="${path}"/>`;
  });
  return `<text class="title" x="${left}" y="${top - 10}">${escaped(title)}</text>\n${grid.join('\n')}\n${drawn.join('\n')}`;
}

/** A line that keeps each value until the next one. */
function steps(values: readonly number[], most: number, bottom: number): string {
  const xOf = (i: number): string => (left + (i * (width - left - right)) / values.length).toFixed(1);
  const yOf = (value: number): string => (bottom - (value / most) * panelHeight).toFixed(1);
  let path = `M${left} ${yOf(values[0] ?? 0)}`;
  for (const [i, value] of values.entries()) {
    if (i > 0 && value !== values[i - 1]) path += `H${xOf(i)}V${yOf(value)}`;
  }
  return `${path}H${width - right}`;
}

function clock({ startMs, seconds }: Comparison, top: number): string {
  const marks = 6;
  return Array.from({ length: marks }, (_, i) => {
    const x = (left + (i * (width - left - right)) / marks).toFixed(1);
    const at = new Date(startMs + (seconds * 1000 * i) / marks).toISOString();
    const text = seconds > 86_400 ? at.slice(5, 16).replace('T', ' ') : at.slice(11, 16);
    return `<text x="${x}" y="${top + 18}">${text}</text>`;
  }).join('');
}

function table(settings: Comparison['settings'], top: number): string {
  const columns = [470, 570, 690, 780, 860, 944];
  const row = (y: number, cells: readonly string[], kind = ''): string =>
    cells
      .map((cell, i) => `<text class="end${kind}" x="${columns[i]}" y="${y}">${escaped(cell)}</text>`)
      .join('');
  const head = row(top, ['worst wait', 'p99 wait', 'replica-hours', 'up', 'down', 'pod starts'], ' title');
  const rows = settings.map((one, i) => {
    const y = top + (i + 1) * rowHeight;
    const cells = [
      duration(one.worstWaitSeconds),
      duration(one.p99WaitSeconds),
      one.replicaHours.toFixed(1),
      count(one.scaleUps),
      count(one.scaleDowns),
      count(one.podStarts),
    ];
    return `<path class="line s${i}" d="M16 ${y - 4}H60"/><text x="72" y="${y}">${escaped(one.name)}</text>${row(y, cells)}`;
  });
  return `${head}\n${rows.join('\n')}`;
}

function escaped(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
