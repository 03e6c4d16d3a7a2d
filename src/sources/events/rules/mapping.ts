import { matchesGlob } from '../../../params/glob.ts';
import type { InboundCloudEvent } from '../../inbound.ts';
import type { ItemFact } from './fact.ts';
import { type ItemRule, type PresetName, presets } from './presets.ts';

interface Mapping extends ItemRule {
  readonly backlog: string;
}

/** Which events belong to which items. */
export interface Mappings {
  readonly items: readonly Mapping[];
  readonly presets: readonly (Pick<Mapping, 'backlog' | 'source' | 'subject'> & {
    readonly preset: PresetName;
  })[];
}

/** The work items of an event. Undefined if it has none. Keys have any length. Never throws. */
export function factsOf(mappings: Mappings, event: InboundCloudEvent): readonly ItemFact[] | undefined {
  const facts = new Map<string, ItemFact>();
  for (const mapping of expand(mappings)) {
    if (facts.has(mapping.backlog) || !fits(mapping, event)) continue;
    const key = keyOf(mapping, event);
    if (key !== undefined) facts.set(mapping.backlog, factOf(mapping, key, event));
  }
  return facts.size === 0 ? undefined : [...facts.values()];
}

const expanded = new WeakMap<Mappings, readonly Mapping[]>();

function expand(given: Mappings): readonly Mapping[] {
  const known = expanded.get(given);
  if (known !== undefined) return known;
  const ofPresets = given.presets.flatMap(({ preset, ...narrower }) =>
    presets[preset].map((rule) => ({ ...rule, ...narrower })),
  );
  const mappings = [...given.items, ...ofPresets];
  expanded.set(given, mappings);
  return mappings;
}

function fits(mapping: Mapping, { type, source, subject, data }: InboundCloudEvent): boolean {
  if (!matchesGlob(mapping.type, type)) return false;
  if (mapping.source !== undefined && !matchesGlob(mapping.source, source)) return false;
  if (mapping.subject !== undefined && !matchesGlob(mapping.subject, subject ?? '')) return false;
  return Object.entries(mapping.data ?? {}).every(([pointer, pattern]) => {
    const value = scalar(valueAt(data, pointer));
    return value !== undefined && matchesGlob(pattern, value);
  });
}

/** Several parts are kept as JSON: no two lists of them make the same text. Undefined where one is not there. */
function keyOf({ key }: Mapping, event: InboundCloudEvent): string | undefined {
  if (typeof key === 'string') return partOf(key, event);
  const parts = key.map((part) => {
    const names = typeof part === 'string' ? [part] : part;
    return names.map((name) => partOf(name, event)).find((value) => value !== undefined);
  });
  return parts.includes(undefined) ? undefined : JSON.stringify(parts);
}

function partOf(name: string, event: InboundCloudEvent): string | undefined {
  const value = isAttribute(name) ? event[name] : valueAt(event.data, name);
  return scalar(value) || undefined;
}

function factOf(mapping: Mapping, key: string, event: InboundCloudEvent): ItemFact {
  const { timeMs } = event;
  return {
    backlog: mapping.backlog,
    key,
    state: mapping.state,
    attempt: attemptOf(mapping, event),
    ...(timeMs === undefined ? {} : { atMs: timeMs }),
  };
}

/** An event that does not say which attempt it is of counts as before the first. */
function attemptOf({ attempt }: Mapping, { data, extensions }: InboundCloudEvent): number {
  if (attempt === undefined) return 0;
  const said = isPointer(attempt)
    ? valueAt(data, attempt)
    : Object.hasOwn(extensions, attempt)
      ? extensions[attempt]
      : undefined;
  const text = scalar(said);
  return text !== undefined && /^\d{1,15}(\.0+)?$/.test(text) ? Number(text) : 0;
}

function scalar(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

/** Whether a part of a key is an attribute of the event. */
export function isAttribute(text: string): text is 'source' | 'subject' | 'id' {
  return text === 'source' || text === 'subject' || text === 'id';
}

/** Whether a text is a JSON pointer (RFC 6901) into something: `/pipelineRun/metadata/uid`. */
export function isPointer(text: string): boolean {
  return text.startsWith('/') && !/~(?![01])/.test(text);
}

/** What the pointer points at; undefined where there is nothing. */
function valueAt(document: unknown, pointer: string): unknown {
  let value = document;
  for (const token of pointer.split('/').slice(1)) {
    value = child(value, token.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  return value;
}

function child(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return /^(0|[1-9]\d*)$/.test(name) ? value[Number(name)] : undefined;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}
