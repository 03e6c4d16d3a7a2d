import { decimal, type ParamsSchema, required, text } from '../../params/schema.ts';

export interface EventsParams {
  readonly backlog: string;
  readonly targetItems: number;
  readonly activationItems: number;
}

export const eventsParams: ParamsSchema<EventsParams> = {
  table: {
    backlog: required(text({ doc: 'The name in `items` or `presets` of the connection.' })),
    targetItems: decimal({ doc: 'Items per replica.', fallback: 1, above: 0 }),
    activationItems: decimal({
      doc: 'It leaves zero above this.',
      fallback: 0,
      least: 0,
    }),
  },
  rules: [],
};
