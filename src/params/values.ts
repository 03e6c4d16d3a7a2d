import { ParamFault } from './fault.ts';
import { quote } from './printable.ts';

/*
 * The value spellings of KEDA's typed config (pkg/scalers/scalersconfig/typed_config.go, v2.21): values are
 * trimmed before they come here, and an empty value is a missing one. Numbers are decimal only.
 */

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const RANGE = /^(\d+)(?:-(\d+))?$/;

/** The most partitions or the like one range list may name, so that `1-999999999` cannot fill the memory. */
export const maxRangeMembers = 100_000;

export interface DecimalBounds {
  /** The value must be more than this. */
  above?: number;
  /** The value must be at least this. */
  least?: number;
  most?: number;
}

export function parseDecimal(text: string, bounds: DecimalBounds = {}): number {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  const wanted = describeBounds(bounds);
  if (!Number.isFinite(value)) throw new ParamFault(`must be a decimal number${wanted}, got ${quote(text)}`);
  const { above, least, most } = bounds;
  const outside =
    (above !== undefined && value <= above) ||
    (least !== undefined && value < least) ||
    (most !== undefined && value > most);
  if (outside) throw new ParamFault(`must be a number${wanted}, got ${quote(text)}`);
  return value;
}

function describeBounds({ above, least, most }: DecimalBounds): string {
  const parts: string[] = [];
  if (above !== undefined) parts.push(`above ${above}`);
  if (least !== undefined) parts.push(`of at least ${least}`);
  if (most !== undefined) parts.push(`of at most ${most}`);
  return parts.length === 0 ? '' : ` ${parts.join(' and ')}`;
}

/** Go's strconv.ParseBool. */
export function parseGoBool(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  throw new ParamFault(`must be true or false, got ${quote(text)}`);
}

/** `a, b,c` → ['a', 'b', 'c']; empty members are dropped. */
export function parseList(text: string): string[] {
  return text
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
}

/** `1,3-5` → {1, 3, 4, 5}. */
export function parseRanges(text: string): ReadonlySet<number> {
  const members = new Set<number>();
  for (const part of parseList(text)) {
    const match = RANGE.exec(part);
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (!match || to < from) {
      throw new ParamFault(`must be numbers and ranges such as "1,3-5", got ${quote(part)}`);
    }
    if (members.size + (to - from) >= maxRangeMembers) {
      throw new ParamFault(`names more than ${maxRangeMembers} members`);
    }
    for (let member = from; member <= to; member += 1) members.add(member);
  }
  return members;
}

export function parseChoice<T extends string>(text: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) throw new ParamFault(`must be one of ${choices.join(', ')}, got ${quote(text)}`);
  return choice;
}
