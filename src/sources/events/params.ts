import { decimal, type ParamsSchema, required, text } from '../../params/schema.ts';

export interface EventsParams {
  readonly backlog: string;
  readonly targetItems: number;
  readonly activationItems: number;
}

export const eventsParams: ParamsSchema<EventsParams> = {
  table: {
    backlog: required(text({ doc: 'The backlog, by its name in `items` or `presets` of the connection.' })),
    targetItems: decimal({ doc: 'Items per replica.', fallback: 1, above: 0 }),
    activationItems: decimal({
      doc: 'The workload leaves zero when there are more items than this.',
      fallback: 0,
      least: 0,
    }),
  },
  rules: [],
};
