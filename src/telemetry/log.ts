import { pino } from 'pino';
import { printable } from '../printable.ts';

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
  // Not pino's own destination: with a full pipe it retries a line later. At the exit of the process such a line can
  // come after later ones.
  return pino(options, process.stdout);
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};

const minuteMs = 60_000;

interface Minute {
  readonly beganAtMs: number;
  said: number;
  unsaid: number;
}

/** Lets trouble be said `most` times a minute for each key, however often it comes. Keys must be few. */
export class FewAMinute {
  private readonly most: number;
  private readonly now: () => number;
  private readonly minutes = new Map<string, Minute>();

  /** `now`: in ms, monotonic. */
  constructor(most: number, now: () => number) {
    this.most = most;
    this.now = now;
  }

  /** Undefined: not now. Else how many were not said before it; undefined where that is not known, or long ago. */
  due(key: string): { readonly unsaid: number | undefined } | undefined {
    const nowMs = this.now();
    const minute = this.minutes.get(key);
    if (minute === undefined || nowMs - minute.beganAtMs >= minuteMs) {
      this.forgetOld(nowMs);
      this.minutes.set(key, { beganAtMs: nowMs, said: 1, unsaid: 0 });
      return { unsaid: minute?.unsaid };
    }
    if (minute.said === this.most) {
      minute.unsaid += 1;
      return undefined;
    }
    minute.said += 1;
    return { unsaid: undefined };
  }

  /** Connections come and go with the configuration. */
  private forgetOld(nowMs: number): void {
    for (const [key, { beganAtMs }] of this.minutes)
      if (nowMs - beganAtMs >= minuteMs) this.minutes.delete(key);
  }
}
