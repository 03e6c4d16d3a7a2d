const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Makes a foreign text safe for a log line or a page. Control characters (C0, C1), bidi and invisible characters, line
 * separators and lone surrogates become JSON's `\u….`.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (unseen) =>
    Array.from({ length: unseen.length }, (_, i) => escaped(unseen.charCodeAt(i))).join(''),
  );
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

const shownLength = 64;

/** A value in a message: quoted, printable, and cut so that a message never carries a megabyte. */
export function quote(text: string): string {
  return printable(JSON.stringify(text.length > shownLength ? `${text.slice(0, shownLength)}…` : text));
}
