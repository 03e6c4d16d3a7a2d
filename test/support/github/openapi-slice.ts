import { readFileSync } from 'node:fs';

type Schema = Record<string, unknown>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: Schema;
}

export interface Operation {
  readonly parameters: readonly Parameter[];
  /** By status. Null if the description has no JSON for it. */
  readonly responses: Readonly<Record<string, Schema | null>>;
}

/** The part of GitHub's description that scripts/github-openapi.mjs has cut out. */
export interface Slice {
  readonly version: string;
  /** By method and path template. */
  readonly operations: Readonly<Record<string, Operation>>;
  readonly definitions: Readonly<Record<string, Schema>>;
}

export const slice: Slice = JSON.parse(
  readFileSync(new URL('./openapi-slice.json', import.meta.url), 'utf8'),
);
