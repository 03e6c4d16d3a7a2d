import { z } from 'zod';
import { didYouMean } from '../../params/suggest.ts';
import { quote } from '../../printable.ts';
import type { EventsParams } from './params.ts';
import { itemStates } from './rules/fact.ts';
import { isAttribute, isPointer } from './rules/mapping.ts';
import { presetNames } from './rules/presets.ts';

const glob = (doc: string) => z.string().min(1).max(1024).describe(doc);
const pointer = z.string().max(1024).refine(isPointer, 'must be a JSON pointer such as /subject/id');

const backlog = z
  .string()
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/,
    'must be letters, digits, ".", "_" and "-", at most 63',
  )
  .describe('The name for triggers.');

const source = glob('Any by default.').exactOptional();
const subject = glob('Any by default.').exactOptional();

const keyPart = z
  .string()
  .max(1024)
  .refine(
    (key) => isAttribute(key) || isPointer(key),
    'must be source, subject, id, or a JSON pointer into the data such as /pipelineRun/metadata/uid',
  );

const item = z.strictObject({
  backlog,
  type: glob('EventBridge’s `detail-type`. `*` is any characters, `?` is one.'),
  source,
  subject,
  data: z
    .record(pointer, z.string())
    .exactOptional()
    .describe('Values in their data, by JSON pointer: `{ /detail/state: STARTED }`.'),
  state: z.enum(itemStates).describe('The item’s state after such an event.'),
  key: z
    .union([keyPart, z.array(keyPart).min(1).max(8)])
    .describe('What identifies an item in all its events. A list combines several.'),
  attempt: z
    .string()
    .max(1024)
    .refine(
      (attempt) => isPointer(attempt) || /^[a-z0-9]{1,64}$/.test(attempt),
      'must be a JSON pointer into the data, or the name of an extension attribute',
    )
    .exactOptional()
    .describe(
      'Where its attempt’s number is: a JSON pointer or extension attribute. A higher one starts a finished item again.',
    ),
});

const preset = z.strictObject({
  preset: z.enum(presetNames).describe('The sender and its kind of item.'),
  backlog,
  source,
  subject,
});

const shape = z.strictObject({
  items: z
    .array(item)
    .max(1000)
    .default([])
    .describe('[Which events belong to which items](events.md#which-events-belong-to-which-items).'),
  presets: z.array(preset).max(1000).default([]).describe('[Ready-made entries](events.md#presets).'),
  ttlSeconds: z
    .int({
      error: ({ input }) =>
        input === undefined
          ? 'is required: nothing else ends an item whose last event is lost; longer than any item may take'
          : undefined,
    })
    .min(60)
    .describe('How long an item counts after its last event, and a finished one is remembered.'),
  maxItems: z
    .int()
    .min(1)
    .max(5_000_000)
    .default(500_000)
    .describe('Finished ones are dropped first; more are ignored and logged.'),
});

export const eventsConfig = shape.refine(({ items, presets }) => items.length + presets.length > 0, {
  error: 'is required, or presets: which events belong to which backlog',
  path: ['items'],
});

export type EventsConfig = z.output<typeof eventsConfig>;

/** The backlogs of the configuration. */
export function backlogsOf({ items, presets }: EventsConfig): ReadonlySet<string> {
  return new Set([...items, ...presets].map(({ backlog }) => backlog));
}

/** A backlog that no event can fill is a mistake. */
export function conflict({ backlog }: EventsParams, config: EventsConfig): string | undefined {
  const known = backlogsOf(config);
  if (known.has(backlog)) return undefined;
  return `backlog: the connection has ${[...known].join(', ')}, not ${quote(backlog)}${didYouMean(backlog, known)}`;
}
