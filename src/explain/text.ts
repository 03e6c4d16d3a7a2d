import { printable } from '../printable.ts';
import type { AnswerView, ParameterView, ScalingView, TriggerView } from './view.ts';

/** How it is laid out. */
export interface Layout {
  /** Characters of a line, 20 at least. */
  readonly columns: number;
}

const usual: Layout = { columns: 80 };

/** All that is known of a trigger, as plain text that ends with a line's end. Pure; no secret, no colour. */
export function explainTrigger(view: TriggerView, { columns }: Layout = usual): string {
  const sections: [string, readonly string[]][] = [
    ['Parameters', view.parameters.map(parameterLine)],
    ['Faults', view.faults],
    ['Source', Object.entries(view.detail ?? {}).map(([name, value]) => `${name}: ${value}`)],
    ['Answers', view.answers.map(answerLine)],
    ['Notes', view.notes],
  ];
  return laidOut(view.title, sections, columns);
}

/** What KEDA and the HPA make of the answers. */
export function explainScaling(view: ScalingView, { columns }: Layout = usual): string {
  if (view.kind === 'ScaledJob') {
    const said = `${view.running} running; strategy ${view.strategy}; the next poll creates ${view.creates}`;
    return laidOut(
      'What KEDA does',
      [
        ['Jobs', [said]],
        ['Notes', view.notes],
      ],
      columns,
    );
  }
  const { currentReplicas, wanted, isActive, notes } = view;
  const steps = view.steps.map(
    ({ atMs, by, replicas, because, nudged }) =>
      `${sinceNow(atMs)} ${by}${nudged ? ' (nudged)' : ''}: ${replicas} (${because})`,
  );
  const now = `${isActive ? 'active' : 'inactive'}; ${currentReplicas} replicas now, ${wanted} asked for`;
  const sections: [string, readonly string[]][] = [
    ['Now', [now]],
    ['Then', steps],
    ['Notes', notes],
  ];
  return laidOut('What KEDA and the HPA do', sections, columns);
}

function parameterLine({ name, value, origin, hidden }: ParameterView): string {
  return `${name}: ${hidden ? '(not shown)' : value === '' ? '(none)' : value} [${origin}]`;
}

function answerLine(answer: AnswerView): string {
  if (answer.kind === 'error') return `${answer.rpc}: ${answer.code}: ${answer.message}`;
  const fields = Object.entries(answer.fields).map(([name, value]) => `${name}=${value}`);
  return `${answer.rpc}: ${fields.join(' ')}`;
}

function sinceNow(ms: number): string {
  return ms < 1000 ? `+${ms} ms` : `+${Math.floor(ms / 1000)} s`;
}

function laidOut(
  title: string,
  sections: readonly (readonly [string, readonly string[]])[],
  columns: number,
): string {
  const lines = wrapped(title, columns, '', '  ');
  for (const [name, rows] of sections) {
    if (rows.length === 0) continue;
    lines.push(`  ${name}`, ...rows.flatMap((row) => wrapped(row, columns, '    ', '      ')));
  }
  return `${lines.join('\n')}\n`;
}

/** A text over lines, cut at spaces where there are any. */
function wrapped(text: string, columns: number, first: string, then: string): string[] {
  const width = Math.max(20, columns);
  const lines: string[] = [];
  let line = first;
  for (const word of printable(text).split(' ')) {
    let left = word;
    const isEmpty = line === first || line === then;
    if (!isEmpty && line.length + 1 + left.length > width) {
      lines.push(line);
      line = then;
    } else if (!isEmpty) line += ' ';
    while (line.length + left.length > width) {
      const room = width - line.length;
      lines.push(line + left.slice(0, room));
      left = left.slice(room);
      line = then;
    }
    line += left;
  }
  return [...lines, line];
}
