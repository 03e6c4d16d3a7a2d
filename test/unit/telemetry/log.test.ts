import { describe, expect, it, vi } from 'vitest';
import { printable } from '../../../src/printable.ts';
import { createLogger } from '../../../src/telemetry/log.ts';

/** Colors, C1's CSI, DEL, a name that reads backwards, separators that end a line, half a character. */
const hostile = 'a\u0000b\rc\nd\u001b[31me\u009bf\u007fg\u202eh\u2066i\u2028j\ud800k\u200fl\ufeff';

describe('printable', () => {
  it('keeps letters of any script, and shows control characters as codes', () => {
    expect(printable('größe-文字-שלום "\\ 🚀')).toBe('größe-文字-שלום "\\ 🚀');
    expect(printable(hostile)).toBe(
      'a\\u0000b\\u000dc\\u000ad\\u001b[31me\\u009bf\\u007fg\\u202eh\\u2066i\\u2028j\\ud800k\\u200fl\\ufeff',
    );
  });
});

describe('a log line', () => {
  it('holds no character that a terminal would obey, and reads back as it was', () => {
    const written: string[] = [];
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
      written.push(String(line));
      return true;
    });
    createLogger('info').child({ connection: hostile }).info({ name: hostile }, hostile);
    write.mockRestore();
    const [line = ''] = written;
    expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Bidi_C}\p{Cs}\u2028\u2029\ufeff]/u);
    expect(line.at(-1)).toBe('\n');
    expect(JSON.parse(line)).toMatchObject({ connection: hostile, name: hostile, msg: hostile });
  });
});
