import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import type { Finding } from './row.ts';

/** What one row came to. */
export interface RowReport {
  readonly row: string;
  readonly seconds: number;
  readonly findings: readonly Finding[];
  /** Why it could not be measured. */
  readonly fault?: string;
}

const heads = ['what', 'target', 'measured', 'met'];

/** The findings as a table in plain text; Markdown shows it as one too. */
export function table(reports: readonly RowReport[]): string {
  const lines = reports.flatMap(({ row, findings, fault }) => [
    ...findings.map(({ what, target, measured, met }) => [what, target, measured, verdict(met)]),
    ...(fault === undefined ? [] : [[row, '-', `not measured: ${fault.split('\n')[0]}`, 'no']]),
  ]);
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const format = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|\n`;
  return [format(heads), rule, ...lines.map(format)].join('');
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
