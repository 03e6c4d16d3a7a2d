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

/**
 * Counts the values of arriving JSON and their depth. Values that are small as text can take a hundred times the memory,
 * and code that walks deep ones can run out of stack. For anything but JSON the result does not matter.
 */
export class JsonCounter {
  /** At most as many as commas, brackets and braces outside of strings, and one. */
  values = 1;
  private readonly most: number;
  private depth = 0;
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
    for (let at = start; at < bytes.length; at += 1) {
      switch (bytes[at]) {
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
      }
    }
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

export const tooMuchJson = `is nested more than ${maxDepth} deep, or holds too many values`;

/** Reads the JSON of one request, all of it within one bound. */
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
      return { value: JSON.parse(text) };
    } catch {
      return { fault: 'is not JSON' };
    }
  }
}

const code = {
  quote: 0x22,
  comma: 0x2c,
  bracket: 0x5b,
  backslash: 0x5c,
  bracketEnd: 0x5d,
  brace: 0x7b,
  braceEnd: 0x7d,
} as const;
