import { commonOptions } from './arguments.ts';
import type { Command, ListedCommand, Option } from './command.ts';

export function overview(commands: readonly ListedCommand[]): string {
  const rows = commands.map(({ name, summary }): [string, string] => [name, summary]);
  return [
    'backlog-scaler: wakes and sizes Kubernetes workloads by their backlog (a KEDA external scaler)',
    '',
    'Usage: backlog-scaler COMMAND [OPTIONS]',
    '',
    'Commands:',
    ...columns(rows),
    '',
    'Every command has --help. Exit codes: 0 fine, 1 failed, 2 invalid input, 3 source unreachable.',
    '',
  ].join('\n');
}

export function commandUsage({ name, summary, options }: Command): string {
  const all: [string, Option][] = Object.entries({ ...options, ...commonOptions });
  const needed = all.filter(([, { required }]) => required).map((entry) => ` ${optionText(entry)}`);
  const rows = all.map((entry): [string, string] => [optionText(entry), entry[1].doc]);
  return [
    summary,
    '',
    `Usage: backlog-scaler ${name}${needed.join('')} [OPTIONS]`,
    '',
    ...columns(rows),
    '',
  ].join('\n');
}

function optionText([name, { value }]: [string, Option]): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

function columns(rows: readonly [string, string][]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
