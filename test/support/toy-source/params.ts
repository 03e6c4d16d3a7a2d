import { decimal, ParamFault, type ParamsSchema, required, text } from '../../../src/params/schema.ts';

export interface LinesParams {
  readonly file: string;
  readonly linesPerReplica: number;
  readonly activationLines: number;
}

const file = text({ doc: 'The file whose lines wait, in the directory of the connection.', most: 100 });

export const linesParams: ParamsSchema<LinesParams> = {
  table: {
    file: { ...required(file), parse: fileName },
    linesPerReplica: decimal({ doc: 'How many lines one replica is good for.', fallback: 5, above: 0 }),
    activationLines: decimal({
      doc: 'The workload leaves zero when the lines are more than this.',
      fallback: 0,
      least: 0,
    }),
  },
  rules: [],
};

/** A trigger must not leave the connection's directory, nor read hidden files. */
function fileName(value: string): string {
  if (/^\w[\w.-]*$/.test(value)) return value;
  throw new ParamFault('must be the name of a file, such as orders.txt');
}
