import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Pair,
} from 'yaml';
import { ScalerError } from '../errors.ts';
import { quote } from '../printable.ts';

export type Mapping = Readonly<Record<string, unknown>>;

const maxAliases = 100;
const maxDepth = 64;
/** Of one object, with what its aliases stand for. */
const maxNodes = 200_000;

/** A value that is a mapping, or undefined. */
export function mapping(value: unknown): Mapping | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

/** The pair of a key, the last one where it is written twice; as Go's parser has it. */
export function pairOf(node: unknown, key: string): Pair | undefined {
  if (!isMap(node)) return undefined;
  return node.items.findLast((pair) => isScalar(pair.key) && pair.key.value === key);
}

/** The nodes of one document as plain values, within bounds: aliases could stand for more than any memory holds. */
export class Values {
  lastLine = 1;
  private aliases = maxAliases;
  private nodes = maxNodes;
  private readonly document: Document.Parsed;
  private readonly lines: LineCounter;

  constructor(document: Document.Parsed, lines: LineCounter) {
    this.document = document;
    this.lines = lines;
  }

  lineOf(node: unknown): number {
    const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined;
    return range ? this.lines.linePos(range[0]).line : this.lastLine;
  }

  /** What an alias stands for; any other node is itself. */
  resolved(node: unknown): Node | undefined {
    if (isAlias(node)) {
      this.lastLine = this.lineOf(node);
      this.aliases -= 1;
      if (this.aliases < 0) throw new ScalerError('invalid', `has more than ${maxAliases} aliases`);
      const target = node.resolve(this.document);
      if (target === undefined)
        throw new ScalerError('invalid', `has the alias ${quote(node.source)} of no anchor`);
      return target;
    }
    return isScalar(node) || isMap(node) || isSeq(node) ? node : undefined;
  }

  child(node: unknown, key: string): Node | undefined {
    return this.resolved(pairOf(node, key)?.value);
  }

  /** `twice` hears of each key that is written twice in one mapping. Throws ScalerError where it is too much. */
  value(given: unknown, twice?: (line: number, key: string) => void, depth = 0): unknown {
    const node = this.resolved(given);
    if (node === undefined) return undefined;
    if (!isAlias(given)) this.lastLine = this.lineOf(node);
    this.nodes -= 1;
    if (this.nodes < 0) throw new ScalerError('invalid', 'is too large, with what its aliases stand for');
    if (depth > maxDepth) throw new ScalerError('invalid', `is nested deeper than ${maxDepth}`);
    if (isScalar(node)) return kubernetesValue(node.value, node.type);
    if (isSeq(node)) return node.items.map((item) => this.value(item, twice, depth + 1));
    if (!isMap(node)) return undefined;
    const merged: [string, unknown][] = [];
    const own = new Map<string, unknown>();
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key)) continue;
      const key = String(pair.key.value);
      const value = pair.value === null ? null : this.value(pair.value, twice, depth + 1);
      if (key === '<<' || typeof pair.key.value === 'symbol') {
        for (const one of Array.isArray(value) ? value : [value])
          merged.push(...Object.entries(mapping(one) ?? {}));
        continue;
      }
      if (own.has(key)) twice?.(this.lineOf(pair.key), key);
      own.set(key, value);
    }
    return Object.fromEntries([...merged.toReversed(), ...own]);
  }
}

/** kubectl reads YAML 1.1, in which these words without quotes are true and false. */
const words: Readonly<Record<string, boolean>> = { yes: true, on: true, no: false, off: false };

function kubernetesValue(value: unknown, type: string | undefined): unknown {
  if (typeof value !== 'string' || type !== 'PLAIN') return typeof value === 'bigint' ? Number(value) : value;
  const word = value.toLowerCase();
  return /^(?:[a-z]+|[A-Z]+|[A-Z][a-z]+)$/.test(value) && Object.hasOwn(words, word) ? words[word] : value;
}
