import type { Logger } from '../../src/telemetry/log.ts';

type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface RecordingLogger extends Logger {
  messages(level: LogLevel): string[];
  /** Every line as text, to search for what must not be there. */
  text(): string;
}

/** A logger that keeps its lines. */
export function recordingLogger(): RecordingLogger {
  const lines: { level: LogLevel; fields: object; message: string }[] = [];
  const at = (level: LogLevel, bound: object) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...bound, ...fields }, message });
  };
  const make = (bound: object): RecordingLogger => ({
    debug: at('debug', bound),
    info: at('info', bound),
    warn: at('warn', bound),
    error: at('error', bound),
    child: (fields) => make({ ...bound, ...fields }),
    messages: (level) => lines.filter((line) => line.level === level).map(({ message }) => message),
    text: () => JSON.stringify(lines),
  });
  return make({});
}
