/*
 * What deploy/examples and the guides have in place of a value of your own, and nobody has: domains that RFC 2606 reserves,
 * the account number of AWS's documentation, an ID. And the mark at what fits others alone.
 */
const placeholder =
  /(?<![\w-])example\.(?:com|net|org)(?![\w-]|\.\w)|\b123456789012\b|\bIv23liExample01Abcd\b|\bTHE-API-KEY\b/;
const mark = /(?:^|\s)# (?:\d\. )?CHANGE(?=:|$)/;

/** Why a value cannot be one, in words that follow its key. */
export function exampleIn(value: string): string | undefined {
  const [found] = placeholder.exec(value) ?? [];
  return found && `has ${found} of the examples: write your own`;
}

/** What an example marks for its reader, by lines from 1. */
export function marksIn(text: string): readonly { readonly line: number; readonly message: string }[] {
  const message = 'is still marked CHANGE: write what fits, and remove the mark';
  return text.split(/\r?\n/).flatMap((line, i) => (mark.test(line) ? [{ line: i + 1, message }] : []));
}
