import { decimal, type ParamsSchema, required, text } from '../../params/schema.ts';

export interface EventsParams {
  readonly backlog: string;
  readonly targetItems: number;
  readonly activationItems: number;
}

export const eventsParams: ParamsSchema<EventsParams> = {
  table: {
    backlog: required(text({ doc: 'The backlog, as `items` and `presets` of the connection name it.' })),
    targetItems: decimal({ doc: 'How many items one replica is good for.', fallback: 1, above: 0 }),
    activationItems: decimal({
      doc: 'The workload leaves zero when the items are more than this.',
      fallback: 0,
      least: 0,
    }),
  },
  rules: [],
};
