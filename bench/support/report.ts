import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import type { Finding } from './row.ts';

/** The result of a row. */
export interface RowReport {
  readonly row: string;
  readonly checkout: string;
  /** When two checkouts are measured, the number of the pair. */
  readonly pair: number;
  readonly seconds: number;
  readonly findings: readonly Finding[];
  /** Why it could not be measured. */
  readonly fault?: string;
}

type Cells = readonly string[];

/** The findings as a table in plain text, which Markdown shows as a table too. */
export function table(reports: readonly RowReport[]): string {
  const lines = reports.flatMap((report) => [
    ...report.findings.map(({ what, target, measured, met }) => [what, target, measured, verdict(met)]),
    ...faultOf(report).map((fault) => [report.row, '-', fault, 'no']),
  ]);
  return format([['what', 'target', 'measured', 'met'], ...lines]);
}

/** The same for two checkouts side by side, with a line for each pair. */
export function pairedTable(reports: readonly RowReport[], own: string, other: string): string {
  const lines = reports
    .filter(({ checkout }) => checkout === own)
    .flatMap((ours) => {
      const theirs = reports.find(
        ({ row, pair, checkout }) => row === ours.row && pair === ours.pair && checkout === other,
      );
      const measuredThere = (what: string) =>
        theirs?.findings.find((finding) => finding.what === what)?.measured ?? '-';
      const faults = [theirs, ours].map((report) => (report ? faultOf(report)[0] : undefined));
      return [
        ...ours.findings.map(({ what, target, measured, met }) => [
          what,
          target,
          measuredThere(what),
          measured,
          verdict(met),
        ]),
        ...(faults.some((fault) => fault !== undefined)
          ? [[ours.row, '-', ...faults.map((fault) => fault ?? '-'), 'no']]
          : []),
      ];
    });
  return format([['what', 'target', other, own, 'met'], ...lines]);
}

function faultOf({ fault }: RowReport): string[] {
  return fault === undefined ? [] : [`not measured: ${fault.split('\n')[0]}`];
}

/** Lines below heads, in columns. */
export function format([heads = [], ...lines]: readonly Cells[]): string {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const line = (cells: Cells) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|\n`;
  return [line(heads), rule, ...lines.map(line)].join('');
}

function verdict(met: boolean | undefined): string {
  if (met === undefined) return '';
  return met ? 'yes' : 'NO';
}

export async function writeJson(
  file: string,
  report: { quick: boolean; startedAt: Date; reports: readonly RowReport[] },
): Promise<void> {
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify({ ...report, machine }, undefined, 2)}\n`);
}
