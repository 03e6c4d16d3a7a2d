import { pino } from 'pino';
import { printable } from '../params/printable.ts';

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
    // JSON leaves C1 and bidi characters as they are, and lines are read in terminals. What is written for them is JSON too.
    hooks: { streamWrite: (line: string) => `${printable(line.trimEnd())}\n` },
  };
  // Not pino's own destination: where a pipe is full it comes back to a line later, and at the exit of the
  // process such a line can stand behind those that came after it.
  return pino(options, process.stdout);
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
