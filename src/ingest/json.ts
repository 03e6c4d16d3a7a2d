/** Far more than any sender needs. GitHub's largest payloads have some ten thousand values, eight deep. */
const maxDepth = 64;
const maxValues = 100_000;

/** What bytes say, or in words why they say nothing. */
export type Content = { readonly value: unknown } | { readonly fault: string };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The text of UTF-8, without a byte order mark; undefined where it is none. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Reads the JSON of one request, all of it within one bound: values that are small as text can take a hundred times as
 * much memory, and whatever walks along deep ones can run out of its stack. So they are counted before they are made.
 */
export class JsonReader {
  private left: number;

  constructor(most = maxValues) {
    this.left = most;
  }

  read(bytes: Uint8Array): Content {
    const isWithin = this.count(bytes);
    if (!isWithin) return { fault: `is nested more than ${maxDepth} deep, or holds too many values` };
    const text = textOf(bytes);
    if (text === undefined) return { fault: 'is not UTF-8' };
    try {
      return { value: JSON.parse(text) };
    } catch {
      return { fault: 'is not JSON' };
    }
  }

  /** Values are at most as many as commas, brackets and braces outside of strings, and one. Of what is no JSON it is no matter. */
  private count(bytes: Uint8Array): boolean {
    let depth = 0;
    let values = 1;
    for (let at = 0; at < bytes.length; at += 1) {
      switch (bytes[at]) {
        case code.quote:
          at = endOfString(bytes, at);
          break;
        case code.bracket:
        case code.brace:
          depth += 1;
          values += 1;
          if (depth > maxDepth) return false;
          break;
        case code.comma:
          values += 1;
          break;
        case code.bracketEnd:
        case code.braceEnd:
          depth -= 1;
          break;
      }
      if (values > this.left) return false;
    }
    this.left -= values;
    return true;
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

/** Where the quote is that ends a string. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== code.quote) at += bytes[at] === code.backslash ? 2 : 1;
  return at;
}
