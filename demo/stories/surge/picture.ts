import { duration } from '../../summary.ts';
import type { Run, Step } from './judge.ts';

export interface Frame {
  /** The replicas that fill a panel. */
  readonly most: number;
  /** The time span: a column is a second. */
  readonly seconds: number;
  /** The distance of two marks on the time axis. */
  readonly markEverySeconds: number;
}

const rows = 4;
const eighths = ' ▁▂▃▄▅▆▇█';

/** Replicas over time: a panel for each workload, one above the other, on one time axis. Pure. */
export function picture(runs: readonly Run[], { most, seconds, markEverySeconds }: Frame): string[] {
  const seen = Array.from({ length: Math.ceil(seconds) }, (_, second) => second);
  const isMark = (second: number): boolean => second % markEverySeconds === 0;
  const panels = runs.flatMap(({ name, steps }) => {
    // The state at the end of each second.
    const heights = seen.map((second) => (rows * replicasAt(steps, 1000 * (second + 1))) / most);
    const lines = Array.from({ length: rows }, (_, row) =>
      heights.map((height) => block(height - (rows - 1 - row))),
    );
    return [
      `${name}: ${steps.map(({ afterMs, replicas }) => `${replicas} after ${duration(afterMs)}`).join(', ')}`,
      ...lines.map((line, row) =>
        `${row === 0 ? String(most).padStart(4) : '    '} │${line.join('')}`.trimEnd(),
      ),
      `   0 └${seen.map((second) => (isMark(second) ? '┴' : '─')).join('')}`,
    ];
  });
  const marks = seen.filter(isMark).map((second) => `${second} s`.padEnd(markEverySeconds));
  return [...panels, `      ${marks.join('')}`.trimEnd()];
}

function replicasAt(steps: readonly Step[], afterMs: number): number {
  return steps.findLast((step) => step.afterMs <= afterMs)?.replicas ?? 0;
}

/** A block of this part of a line. Even a small part is visible. */
function block(height: number): string {
  return eighths[Math.min(8, Math.max(0, Math.ceil(8 * height)))] ?? ' ';
}
