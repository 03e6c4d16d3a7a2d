import { styleText } from 'node:util';
import { printable } from '../printable.ts';
import type { Working, WorkingRow } from '../sources/working.ts';
import type { AnswerView, ParameterView, ScalingView, TriggerView } from './view.ts';

/** How it is laid out. */
export interface Layout {
  /** Characters of a line, at least 20. 80 by default. */
  readonly columns?: number;
  /** For a terminal that shows colours. */
  readonly colour?: boolean;
}

/** A heading and what is below it, a line each. `bad`: something to look at. */
interface Section {
  readonly name: string;
  readonly rows: readonly string[];
  readonly bad?: boolean;
}

/** Everything that is known of a trigger, as plain text that ends with a newline. Pure. Contains no secret. */
export function explainTrigger(view: TriggerView, layout: Layout = {}): string {
  const { parameters, faults, working, detail = {}, answers, notes } = view;
  const given = parameters.filter(({ origin }) => origin !== 'default');
  const errors = answers.filter(({ kind }) => kind === 'error');
  const sections: readonly Section[] = [
    { name: 'Parameters', rows: given.map(parameterLine) },
    { name: 'Parameters by default', rows: defaultLines(parameters) },
    { name: 'Faults', rows: faults, bad: true },
    { name: `Working, by ${working?.unit}`, rows: working === undefined ? [] : workingLines(working) },
    { name: 'Source', rows: Object.entries(detail).map(([name, value]) => `${name}: ${value}`) },
    { name: 'Answers', rows: sameTogether(answers.filter((one) => !errors.includes(one))) },
    { name: 'Answers with an error', rows: sameTogether(errors), bad: true },
    { name: 'Notes', rows: notes },
  ];
  return laidOut(view.title, sections, layout);
}

/** What KEDA and the HPA make of the answers. */
export function explainScaling(view: ScalingView, layout: Layout = {}): string {
  if (view.kind === 'unknown') {
    return laidOut('What KEDA does cannot be said', [{ name: 'Because', rows: view.because }], layout);
  }
  if (view.kind === 'ScaledJob') {
    const said = `${view.running} running; strategy ${view.strategy}; the next poll creates ${view.creates}`;
    const sections = [
      { name: 'Jobs', rows: [said] },
      { name: 'Notes', rows: view.notes },
    ];
    return laidOut('What KEDA does', sections, layout);
  }
  const { currentReplicas, wanted, isActive, notes } = view;
  const steps = view.steps.map(
    ({ atMs, by, replicas, because, nudged }) =>
      `${sinceNow(atMs)} ${by}${nudged ? ' (nudged)' : ''}: ${replicas} (${because})`,
  );
  const now = `${isActive ? 'active' : 'inactive'}; ${currentReplicas} replicas now, ${wanted} asked for`;
  const sections = [
    { name: 'Now', rows: [now] },
    { name: 'Then', rows: steps },
    { name: 'Notes', rows: notes },
  ];
  return laidOut('What KEDA and the HPA do', sections, layout);
}

function parameterLine({ name, value, origin, hidden }: ParameterView): string {
  const from = origin === 'FromEnv' ? ` [${name}FromEnv]` : '';
  return `${name}: ${hidden ? '(not shown)' : value === '' ? '(empty)' : value}${from}`;
}

function defaultLines(parameters: readonly ParameterView[]): string[] {
  const byDefault = parameters.filter(({ origin }) => origin === 'default');
  const set = byDefault.filter(({ value }) => value !== '');
  const unset = byDefault.filter(({ value }) => value === '');
  return [
    ...(set.length > 0 ? [set.map(({ name, value }) => `${name}: ${value}`).join('; ')] : []),
    ...(unset.length > 0 ? [`not set: ${unset.map(({ name }) => name).join(', ')}`] : []),
  ];
}

function workingLines({ unit, rows, more, rules }: Working): string[] {
  const left = more.rows > 0 ? [`and ${more.rows} more ${unit}, which add ${more.items}`] : [];
  const sum = rows.reduce((all, { items }) => all + items, more.items);
  return [...rows.map(workingLine), ...left, `together: ${sum}`, ...rules];
}

function workingLine({ name, items, because, said }: WorkingRow): string {
  const numbers = Object.entries(said).map(([what, number]) => `${what} ${number}`);
  return `${name}: ${items}, ${because} (${numbers.join(', ')})`;
}

/** Two RPCs mostly say the same, and a fault is one of all of them: each text is there once. */
function sameTogether(answers: readonly AnswerView[]): string[] {
  const rpcs = new Map<string, string[]>();
  for (const answer of answers) {
    const said = saidBy(answer);
    rpcs.set(said, [...(rpcs.get(said) ?? []), answer.rpc]);
  }
  return [...rpcs].map(([said, names]) => `${names.join(', ')}: ${said}`);
}

function saidBy(answer: AnswerView): string {
  switch (answer.kind) {
    case 'error':
      return `${answer.code}: ${answer.message}`;
    case 'silent':
      return 'says nothing, as long as nothing is known';
    case 'answer': {
      const fields = Object.entries(answer.fields).map(([name, value]) => `${name}=${value}`);
      return fields.join(' ');
    }
  }
}

function sinceNow(ms: number): string {
  return ms < 1000 ? `+${ms} ms` : `+${Math.floor(ms / 1000)} s`;
}

function laidOut(title: string, sections: readonly Section[], { columns = 80, colour }: Layout): string {
  const styled = (style: 'bold' | 'cyan' | 'red', lines: readonly string[]): readonly string[] =>
    colour ? lines.map((line) => styleText(style, line, { validateStream: false })) : lines;
  const lines = [...styled('bold', wrapped(title, columns, '', '  '))];
  for (const { name, rows, bad } of sections) {
    if (rows.length === 0) continue;
    const text = rows.flatMap((row) => wrapped(row, columns, '    ', '      '));
    lines.push(...styled('cyan', wrapped(name, columns, '  ', '  ')), ...(bad ? styled('red', text) : text));
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
