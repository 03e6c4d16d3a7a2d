import { pino } from 'pino';

/** What the product's code needs of a logger; pino is one. Fields first, then the sentence. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

export const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type Level = (typeof levels)[number];

export interface RootLogger extends Logger {
  level: string;
}

/** JSON lines on standard output, time as ISO text; the level can be changed while running. */
export function createLogger(level: Level): RootLogger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: { streamWrite: escapeRest },
  };
  // Not pino's own destination: where a pipe is full it comes back to a line later, and at the exit of the
  // process such a line can stand behind those that came after it.
  return pino(options, process.stdout);
}

/**
 * Text of others as it may be shown: control characters, those that turn the direction of writing, line
 * separators and lone surrogates become `\uXXXX`, as in JSON. What a terminal would obey is only read.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\p{Bidi_C}\u2028\u2029\ufeff]/gu, codeOf);
}

/** The same for a line of JSON, in which the controls of ASCII and lone surrogates are escaped already. */
function escapeRest(line: string): string {
  return line.replace(/[\u007f-\u009f\p{Bidi_C}\u2028\u2029\ufeff]/gu, codeOf);
}

function codeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
