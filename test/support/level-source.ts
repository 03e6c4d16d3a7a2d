import { z } from 'zod';
import { decimal, flag, required, text } from '../../src/params/schema.ts';
import type { Source } from '../../src/sources/source.ts';
import { about } from './about.ts';

interface LevelParams {
  tank: string;
  threshold: number;
  activation: number;
  doubled: boolean;
}

/** Tanks and their levels. */
export type Tanks = Map<string, number>;

/** The simplest polled source: a level for each tank, an activation, a flag. */
export const levelSource: Source<LevelParams, Tanks, number, undefined> = {
  kind: 'level',
  about,
  params: {
    table: {
      tank: required(text({ doc: 'The tank.' })),
      threshold: decimal({ doc: 'Litres a replica.', fallback: 10, above: 0 }),
      activation: decimal({ doc: 'Active above this.', fallback: 0, least: 0 }),
      doubled: flag({ doc: 'Counts everything twice.' }),
    },
    rules: [],
  },
  config: z.custom<Tanks>(),
  connectionKeys: {},
  place: () => ({ addresses: ['tanks'] }),
  minReadMs: () => 0,
  connect: (tanks) => ({
    subject: ({ tank }) => ({ key: tank, hintNames: [tank], need: undefined }),
    async read(subjects, deliver) {
      for (const { key } of subjects) deliver(key, { snapshot: tanks.get(key) ?? 0 });
    },
    close: async () => {},
  }),
  fold: () => undefined,
  evaluate({ activation, doubled }, { snapshot }) {
    const items = doubled ? 2 * snapshot : snapshot;
    return { kind: 'known', items, active: items > activation, detail: () => ({}) };
  },
  pace: () => ({ nextReadMs: 50, watch: false }),
  target: ({ tank, threshold, activation }) => ({ perReplica: threshold, activation, nameParts: [tank] }),
};
