import type { z } from 'zod';
import { typedValue } from './environment.ts';
import type { Faults, Path } from './faults.ts';
import { pathText } from './faults.ts';
import { addIssues } from './issues.ts';
import { mapTexts } from './tree.ts';

export interface Place {
  /** Where the value stands in the configuration. */
  at: Path;
  /** Paths whose text came out of the environment. */
  expanded: ReadonlySet<string>;
  /** Keys that are known at this place though the schema does not have them. */
  commonKeys?: readonly string[];
}

/** Reads a value by its schema and adds every fault; undefined where there was one. */
export function validate<T>(
  schema: z.ZodType<T>,
  input: unknown,
  place: Place,
  faults: Faults,
): { value: T } | undefined {
  const first = schema.safeParse(input);
  if (first.success) return { value: first.data };
  const typed = typeExpanded(
    input,
    new Set(first.error.issues.map((issue) => pathText([...place.at, ...issue.path]))),
    place,
  );
  const second = schema.safeParse(typed);
  if (second.success) return { value: second.data };
  addIssues(faults, second.error.issues, { schema, input: typed, ...place });
  return undefined;
}

/** The text of a variable is read as a number or true/false where, as text, it was refused. */
function typeExpanded(input: unknown, refused: ReadonlySet<string>, { at, expanded }: Place): unknown {
  return mapTexts(input, (text, path) => {
    const key = pathText([...at, ...path]);
    return refused.has(key) && expanded.has(key) ? (typedValue(text) ?? text) : text;
  });
}
