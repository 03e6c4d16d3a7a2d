import type { SharedItems } from '../sources/source.ts';
import type { Said } from '../triggers/resolve.ts';
import { type Mistake, type OurTrigger, warning } from './mistakes.ts';
import type { ScaledResource } from './scaled-resource.ts';

/** A trigger without faults, and its connection as far as it is known. */
export interface ReadTrigger {
  readonly resource: ScaledResource;
  readonly trigger: OurTrigger;
  readonly said: Said;
  /** Of a configuration. */
  readonly connection?: { readonly place: string; readonly config: unknown } | undefined;
  /** '' means unknown. */
  readonly namespace: string;
}

/**
 * Triggers of two ScaledObjects or ScaledJobs that count the same items, where each item needs only one worker: the
 * second of each two gets the warning. What cannot be known is not claimed. Pure.
 */
export function sameItems(triggers: readonly ReadTrigger[]): ReadonlyMap<ScaledResource, readonly Mistake[]> {
  const places = new Map<string, ReadTrigger[]>();
  const found = new Map<ScaledResource, Mistake[]>();
  for (const one of triggers) {
    const { resource, trigger, said } = one;
    const shared = said.source?.shared;
    const place = placeOf(one);
    if (shared === undefined || place === undefined) continue;
    const before = places.get(place) ?? [];
    const other = before.find(
      (earlier) =>
        !isSame(earlier.resource, resource) &&
        shared.areCountedBy(earlier.said.params, said.params, earlier.connection?.config),
    );
    before.push(one);
    places.set(place, before);
    if (other === undefined) continue;
    const mistake = mistakeOf(trigger, other, shared);
    found.set(resource, [...(found.get(resource) ?? []), mistake]);
  }
  return found;
}

/** Two copies of one object, such as of two overlays, are one in the cluster. */
function isSame(a: ScaledResource, b: ScaledResource): boolean {
  return a === b || (a.kind === b.kind && a.namespace === b.namespace && a.name === b.name);
}

/** What is equal for triggers of one connection; undefined where it cannot be known. */
function placeOf({ said, connection, namespace }: ReadTrigger): string | undefined {
  const { source, given, common } = said;
  if (source === undefined || [...given.values()].some(({ unseen }) => unseen)) return undefined;
  if (connection !== undefined) return connection.place;
  if (common.connection !== '') return JSON.stringify([source.kind, 'named', common.connection]);
  const selectors = [...given].filter(([key]) => source.connectionKeys[key]?.selects);
  const values = selectors.map(([key, { value }]) => [key, value.toLowerCase()]).sort();
  if (values.length > 0) return JSON.stringify([source.kind, 'selected', values]);
  return namespace === '' ? undefined : JSON.stringify([source.kind, 'only', namespace]);
}

function mistakeOf(
  { index, entry }: OurTrigger,
  { resource, trigger }: ReadTrigger,
  { items, so }: SharedItems<unknown, unknown>,
): Mistake {
  const { kind, namespace, name, file } = resource;
  const other = `${kind} ${namespace === '' ? '' : `${namespace}/`}${name} (${file}), triggers[${trigger.index}]`;
  return warning(entry.line, `counts ${items} that ${other} counts too: ${so}`, index);
}
