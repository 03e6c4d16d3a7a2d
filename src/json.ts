/** Far more than any sender needs. GitHub's largest payloads have some ten thousand values, eight deep. */
const maxDepth = 64;
const maxValues = 100_000;

/** What bytes say, or in words why they say nothing. */
export type Content = { readonly value: unknown } | { readonly fault: string };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The text of UTF-8 bytes, without a byte order mark. Undefined if they are not UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** From so many digits on, a number may lose some in JavaScript. */
const longDigits = String(Number.MAX_SAFE_INTEGER).length;

/**
 * Counts the values of arriving JSON and their depth. Values that are small as text can take a hundred times the memory,
 * and code that walks deep ones can run out of stack. For anything but JSON the result does not matter.
 */
export class JsonCounter {
  /** At most as many as commas, brackets and braces outside of strings, and one. */
  values = 1;
  /** Whether a number has so many digits that JavaScript may not hold all of them. */
  hasLongNumber = false;
  private readonly most: number;
  private depth = 0;
  private digits = 0;
  private isInString = false;
  private isEscaped = false;

  constructor(most = maxValues) {
    this.most = most;
  }

  /** False: there is more of it than may be. */
  add(bytes: Uint8Array): boolean {
    let at = 0;
    while (at < bytes.length) {
      at = this.isInString ? this.skipString(bytes, at) : this.take(bytes, at);
      if (this.depth > maxDepth || this.values > this.most) return false;
    }
    return true;
  }

  /** Up to where a string begins, or something is counted. */
  private take(bytes: Uint8Array, start: number): number {
    let { digits } = this;
    this.digits = 0;
    for (let at = start; at < bytes.length; at += 1) {
      const byte = bytes[at];
      switch (byte) {
        case code.quote:
          this.isInString = true;
          return at + 1;
        case code.bracket:
        case code.brace:
          this.depth += 1;
          this.values += 1;
          return at + 1;
        case code.comma:
          this.values += 1;
          return at + 1;
        case code.bracketEnd:
        case code.braceEnd:
          this.depth -= 1;
          break;
        default:
          if (byte === undefined || byte < code.zero || byte > code.nine) break;
          digits += 1;
          if (digits === longDigits) this.hasLongNumber = true;
          continue;
      }
      digits = 0;
    }
    this.digits = digits;
    return bytes.length;
  }

  private skipString(bytes: Uint8Array, start: number): number {
    for (let at = start; at < bytes.length; at += 1) {
      if (this.isEscaped) this.isEscaped = false;
      else if (bytes[at] === code.backslash) this.isEscaped = true;
      else if (bytes[at] === code.quote) {
        this.isInString = false;
        return at + 1;
      }
    }
    return bytes.length;
  }
}

const notJson = 'is not JSON';
export const tooMuchJson = `is nested more than ${maxDepth} deep, or holds too many values`;

/**
 * Reads the JSON of one request, all of it within one bound. An integer that a JavaScript number cannot hold becomes text.
 * Otherwise two IDs of 64 bits could become the same.
 */
export class JsonReader {
  private left: number;

  constructor(most = maxValues) {
    this.left = most;
  }

  read(bytes: Uint8Array): Content {
    const counter = new JsonCounter(this.left);
    if (!counter.add(bytes)) return { fault: tooMuchJson };
    this.left -= counter.values;
    const text = textOf(bytes);
    if (text === undefined) return { fault: 'is not UTF-8' };
    try {
      return { value: counter.hasLongNumber ? JSON.parse(text, asWritten) : JSON.parse(text) };
    } catch {
      return { fault: notJson };
    }
  }
}

/** So many brackets can be nested as they like: they are parsed in milliseconds, and nothing here walks unknown values. */
const harmlessBrackets = 10_000;
const container = /^[[{]/;
const longNumber = new RegExp(`[:,[]\\s*-?\\d{${longDigits}}`);

/**
 * Reads the JSON of an answer to our own request, as JsonReader does, with at most so many values. Most answers need not be
 * counted: no text has more values than half of its characters, nor is it nested deeper than it has brackets.
 */
export function readJsonText(text: string, most: number): Content {
  const isSmall = container.test(text) && text.length / 2 < most && !hasMore(text, harmlessBrackets);
  if (!isSmall || longNumber.test(text)) return new JsonReader(most).read(Buffer.from(text));
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { fault: notJson };
  }
}

/** Whether a text has more than so many opening brackets and braces. */
function hasMore(text: string, most: number): boolean {
  let count = 0;
  for (const bracket of ['[', '{']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      count += 1;
      if (count > most) return true;
    }
  }
  return false;
}

/** A reviver. Node's types lack its third argument (ECMAScript 2026, `JSON.parse`). */
const asWritten = (_: string, value: unknown, { source = '' }: { source?: string } = {}): unknown =>
  typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? source : value;

const code = {
  quote: 0x22,
  zero: 0x30,
  nine: 0x39,
  comma: 0x2c,
  bracket: 0x5b,
  backslash: 0x5c,
  bracketEnd: 0x5d,
  brace: 0x7b,
  braceEnd: 0x7d,
} as const;
