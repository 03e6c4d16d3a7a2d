import type { Level, RootLogger } from '../../src/telemetry/log.ts';

export interface LogLine {
  level: Level;
  message: string;
  fields: object;
}

/** A logger that keeps its lines. */
export function recordingLog(): RootLogger & { lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: Level) => (fields: object, message: string) =>
    void lines.push({ level, message, fields });
  const log: RootLogger & { lines: LogLine[] } = {
    level: 'info',
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => log,
  };
  return log;
}
