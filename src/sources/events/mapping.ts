import { createHash } from 'node:crypto';
import { matchesGlob } from '../../params/glob.ts';
import type { InboundCloudEvent } from '../source.ts';
import type { EventsConfig } from './config.ts';
import type { ItemFact } from './fact.ts';
import { isPointer, valueAt } from './pointer.ts';
import { type ItemRule, presets } from './presets.ts';

/** A longer key is kept as its hash. */
const maxKeyLength = 200;

interface Mapping extends ItemRule {
  readonly backlog: string;
}

/** What an event says of work items; undefined where it speaks of none. Never throws. */
export function fact(config: EventsConfig, event: InboundCloudEvent): readonly ItemFact[] | undefined {
  const facts = new Map<string, ItemFact>();
  for (const mapping of mappingsOf(config)) {
    if (facts.has(mapping.backlog) || !fits(mapping, event)) continue;
    const key = keyOf(mapping, event);
    if (key !== undefined) facts.set(mapping.backlog, factOf(mapping, key, event));
  }
  return facts.size === 0 ? undefined : [...facts.values()];
}

const expanded = new WeakMap<EventsConfig, readonly Mapping[]>();

function mappingsOf(config: EventsConfig): readonly Mapping[] {
  const known = expanded.get(config);
  if (known !== undefined) return known;
  const ofPresets = config.presets.flatMap(({ preset, ...narrower }) =>
    presets[preset].map((rule) => ({ ...rule, ...narrower })),
  );
  const mappings = [...config.items, ...ofPresets];
  expanded.set(config, mappings);
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

function keyOf({ key }: Mapping, event: InboundCloudEvent): string | undefined {
  const text = scalar(
    key === 'source' || key === 'subject' || key === 'id' ? event[key] : valueAt(event.data, key),
  );
  if (text === undefined || text === '') return undefined;
  return text.length <= maxKeyLength ? text : `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function factOf(mapping: Mapping, key: string, event: InboundCloudEvent): ItemFact {
  return {
    backlog: mapping.backlog,
    key,
    state: mapping.state,
    attempt: attemptOf(mapping, event),
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
