import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A change of one template that its tests must notice. */
export interface Mutant {
  /** `deployment.yaml:12 {{- if .Values.a }} as true`. */
  readonly what: string;
  /** The template, relative to the folder of templates. */
  readonly file: string;
  readonly text: string;
}

/**
 * Every template without its text, and with each switch turned: an `if` that is always true, one that is always false, a
 * `with` that is always empty. A `with` cannot be turned the other way.
 */
export function mutantsOfAll(templates: string): Mutant[] {
  const files = readdirSync(templates, { recursive: true }).map(String);
  return files
    .filter((name) => /\.(yaml|txt|tpl)$/.test(name))
    .flatMap((file) => mutantsOf(file, readFileSync(join(templates, file), 'utf8')));
}

export function mutantsOf(file: string, text: string): Mutant[] {
  const switches = [...text.matchAll(/\{\{-?\s*(else if|if|with)\s+(.*?)\s*(-?\}\})/g)];
  const turned = switches.flatMap(({ index, 0: action, 1: keyword = '', 2: condition = '', 3: end = '' }) => {
    const start = action.slice(0, action.indexOf(keyword) + keyword.length);
    const line = text.slice(0, index).split('\n').length;
    return Object.entries(turns(keyword, condition)).map(([as, other]) => ({
      what: `${file}:${line} ${action} as ${as}`,
      file,
      text: `${text.slice(0, index)}${start} ${other} ${end}${text.slice(index + action.length)}`,
    }));
  });
  return [{ what: `${file} without its text`, file, text: '' }, ...turned];
}

/** The replacements of a condition. It is still computed, so that an error in it does not count as a turned switch. */
function turns(keyword: string, condition: string): Record<string, string> {
  if (keyword === 'with') return { empty: `ternary "" "" (empty (${condition}))` };
  return { true: `or true (${condition})`, false: `and false (${condition})` };
}
