import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

/** A request as a system in deploy/examples/hints sends it. */
export interface ExampleRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const folder = new URL('../../deploy/examples/hints/', import.meta.url);

/** The documents of an example. A duplicate key or a wrong indent is an error. */
export function example(file: string): unknown[] {
  return parseAllDocuments(readFileSync(new URL(file, folder), 'utf8')).map((document) => {
    if (document.errors.length > 0) throw new Error(`${file}: ${document.errors.join('; ')}`);
    return document.toJS();
  });
}

const object = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });
export type Manifest = z.infer<typeof object>;

export function manifest(file: string, kind: string, name?: string): Manifest {
  const found = example(file)
    .map((one) => object.parse(one))
    .find((one) => one.kind === kind && (name === undefined || one.metadata.name === name));
  if (found === undefined) throw new Error(`${file} has no ${kind} ${name ?? ''}`);
  return found;
}

const template = z.object({
  Resources: z.record(z.string(), z.object({ Type: z.string(), Properties: z.looseObject({}) })),
});

/** The properties of all resources of this type in a CloudFormation template. */
export function resources(file: string, type: string): Readonly<Record<string, unknown>>[] {
  const all = Object.values(template.parse(example(file)[0]).Resources);
  return all.filter(({ Type }) => Type === type).map(({ Properties }) => Properties);
}

/** The value at a path of names in parsed YAML or JSON. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (from, name) => (typeof from === 'object' && from !== null ? Reflect.get(from, name) : undefined),
    value,
  );
}

export const text = (value: unknown): string => z.string().parse(value);
