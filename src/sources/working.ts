import { printable } from '../printable.ts';

/**
 * The parts that a number is the sum of, each by the rule that the reading itself was made by: for people, made when
 * somebody looks. No secrets; at most `mostRows` of at most `mostCharacters` a text.
 */
export interface Working {
  /** What a row is, in the plural: `partitions`. */
  readonly unit: string;
  readonly rows: readonly WorkingRow[];
  /** The rows that are left out, and what they add. */
  readonly more: { readonly rows: number; readonly items: number };
  /** What became of the sum, or is not part of it; sentences without a full stop. */
  readonly rules: readonly string[];
}

export interface WorkingRow {
  /** `orders/3`, `visible`. */
  readonly name: string;
  /** What it adds to the reading's items. */
  readonly items: number;
  /** The rule that applied. */
  readonly because: string;
  /** What the source said. */
  readonly said: Readonly<Record<string, string | number>>;
}

export const mostRows = 50;
export const mostCharacters = 200;

/** Takes rows in their order, and keeps those that weigh most. */
export class WorkingRows {
  private readonly most: number;
  private kept: { row: WorkingRow; weight: number; at: number }[] = [];
  private taken = 0;
  private items = 0;

  constructor(most = mostRows) {
    this.most = most;
  }

  /** `weight`: what it would add if no rule had kept it out. */
  add(row: WorkingRow, weight = row.items): void {
    this.kept.push({ row, weight, at: this.taken });
    this.taken += 1;
    this.items += row.items;
    // Never many more than are kept: there may be half a million.
    if (this.kept.length > 4 * this.most) this.trim();
  }

  working(unit: string, rules: readonly (string | undefined)[]): Working {
    this.trim();
    const rows = this.kept.toSorted((a, b) => a.at - b.at).map(({ row }) => short(row));
    const shown = rows.reduce((sum, { items }) => sum + items, 0);
    return {
      unit,
      rows,
      more: { rows: this.taken - rows.length, items: this.items - shown },
      rules: rules.filter((rule) => rule !== undefined).map(cut),
    };
  }

  private trim(): void {
    if (this.kept.length <= this.most) return;
    this.kept = this.kept.sort((a, b) => b.weight - a.weight || a.at - b.at).slice(0, this.most);
  }
}

function short({ name, because, ...row }: WorkingRow): WorkingRow {
  return { ...row, name: cut(name), because: cut(because) };
}

function cut(text: string): string {
  return printable(text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text);
}
