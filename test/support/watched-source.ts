import { z } from 'zod';
import { required, text } from '../../src/params/schema.ts';
import type { Source, Wake, Watch } from '../../src/sources/source.ts';
import { about } from './about.ts';

/** A log with an end, and watches on it whose state the test sets. */
export class WatchedLog {
  end = 0;
  reads = 0;
  quiet = true;
  readonly armed: {
    from: number;
    wake: Wake;
    watch: { -readonly [K in keyof Watch]: Watch[K] };
    closed: boolean;
  }[] = [];
}

/** The smallest watched source. At rest and armed it is read every 30 s, otherwise every second. */
export const watchedSource: Source<{ name: string }, WatchedLog, number, undefined> = {
  kind: 'watched',
  about,
  params: { table: { name: required(text({ doc: 'The log.' })) }, rules: [] },
  config: z.custom<WatchedLog>(),
  connectionKeys: {},
  place: () => ({ addresses: ['log'] }),
  minReadMs: () => 1_000,
  connect: (log) => ({
    subject: ({ name }) => ({ key: name, hintNames: [name], need: undefined }),
    async read(subjects, deliver) {
      log.reads += 1;
      for (const { key } of subjects) deliver(key, { snapshot: log.end });
    },
    arm(_subject, from, wake) {
      const entry: WatchedLog['armed'][number] = {
        from,
        wake,
        closed: false,
        watch: { state: 'arming', confirmedAtMs: undefined, close: () => (entry.closed = true) },
      };
      log.armed.push(entry);
      return entry.watch;
    },
    close: async () => {},
  }),
  fold: () => undefined,
  evaluate: (_params, { snapshot }) => ({
    kind: 'known',
    items: snapshot,
    active: snapshot > 0,
    detail: () => ({}),
  }),
  pace: ({ quiet }, { watch }) => ({ nextReadMs: quiet && watch === 'armed' ? 30_000 : 1_000, watch: quiet }),
  target: ({ name }) => ({ perReplica: 1, activation: 0, nameParts: [name] }),
};
