import { z } from 'zod';
import { required, text } from '../../src/params/schema.ts';
import type { Source } from '../../src/sources/source.ts';
import { about } from './about.ts';

const config = z.strictObject({ prefix: z.string() });
type Config = z.output<typeof config>;

const fact = z.object({ key: z.string(), open: z.boolean() });

/**
 * Work items opened and closed by events: `<prefix>.started` opens the item of its source, `<prefix>.finished` closes
 * it.
 */
export const cloudEventsSource: Source<{ pool: string }, Config, number, undefined> = {
  kind: 'events',
  about,
  params: { table: { pool: required(text({ doc: 'A name for the trigger.' })) }, rules: [] },
  config,
  connectionKeys: {},
  cloudEvents: {
    fact({ prefix }, { type, source }) {
      if (type !== `${prefix}.started` && type !== `${prefix}.finished`) return undefined;
      return { key: source, open: type.endsWith('.started') };
    },
  },
  place: ({ prefix }) => ({ addresses: [], part: prefix }),
  minReadMs: () => 0,
  connect(_, { events, wake }) {
    const items = new Set<string>();
    const unfollow = events.follow((event) => {
      const { key, open } = fact.parse(event.fact);
      if (open) items.add(key);
      else items.delete(key);
      wake('items', 'event');
    });
    return {
      subject: () => ({ key: 'items', hintNames: [], need: undefined }),
      async read(subjects, deliver) {
        for (const { key } of subjects) deliver(key, { snapshot: items.size });
      },
      close: async () => unfollow(),
    };
  },
  fold: () => undefined,
  evaluate: (_, { snapshot }) => ({
    kind: 'known',
    items: snapshot,
    active: snapshot > 0,
    detail: () => ({}),
  }),
  pace: () => ({ nextReadMs: 60_000, watch: false }),
  target: ({ pool }) => ({ perReplica: 1, activation: 0, nameParts: [pool] }),
};
