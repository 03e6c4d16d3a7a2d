import { attempt, ScalerError } from '../errors.ts';
import { rulesOf } from '../explain/scaling.ts';
import { quote } from '../printable.ts';
import { oursOf } from '../scaledobjects/mistakes.ts';
import {
  type ScaledResource,
  type ScaledSpec,
  scaledCounts,
  type TriggerEntry,
} from '../scaledobjects/scaled-resource.ts';
import { mistakesOf } from '../scaledobjects/validate.ts';
import { mapping } from '../scaledobjects/yaml-values.ts';
import type { AnySource } from '../sources/source.ts';
import { drainPolicyOf } from '../triggers/common-params.ts';
import { perReplicaOf, readReference } from '../triggers/resolve.ts';
import type { PlayedTrigger, Setting } from './play.ts';

/** What a setting changes of the ScaledObject as it is written. */
export interface Change {
  readonly name: string;
  /** By key; '' takes the key away. */
  readonly values: ReadonlyMap<string, string>;
}

/** More are not told apart in a chart. */
export const maxSettings = 8;
const maxNameLength = 80;
/** `limits.maxStalenessSeconds` where no configuration says another. */
const usualStalenessSeconds = 60;
/** What a policy looks at, and any other refuses. */
const drainKeys = ['drainSeconds', 'replicaRate', 'fallbackReplicaRate'];

/**
 * Reads `NAME:key=value,…`, `NAME=key=value,…`, or the changes alone, which are then the name. Returns what is wrong as a
 * text.
 */
export function readChange(text: string): Change | string {
  const [, named, rest = text] = /^([^:=,]+)[:=]\s*([\w.]+\s*=[^=]*.*)$/.exec(text) ?? [];
  const values = new Map<string, string>();
  for (const part of rest.split(',')) {
    const at = part.indexOf('=');
    const key = part.slice(0, at).trim();
    if (at < 1 || !/^[\w.]+$/.test(key)) {
      return `must be NAME:key=value,… as in 'drain 60 s:policy=drain,drainSeconds=60', got ${quote(text)}`;
    }
    if (values.has(key)) return `${quote(text)} has ${key} twice`;
    values.set(key, part.slice(at + 1).trim());
  }
  const name = (named ?? text).trim();
  if (name.length <= maxNameLength) return { name, values };
  return `${quote(name)} is longer than ${maxNameLength} characters: give it a name, NAME:key=value`;
}

/** The ScaledObject with a change. `replicaRate` is what `policy: drain` gets where nothing says one. Faults as texts. */
export function changed(
  resource: ScaledResource,
  index: number,
  { values }: Change,
  replicaRate: number | undefined,
): { readonly resource: ScaledResource; readonly faults: readonly string[] } {
  const faults: string[] = [];
  let spec: ScaledSpec = resource.spec;
  const entry = resource.triggers[index];
  const metadata: Record<string, string> = { ...entry?.metadata };
  // An assignment would be its prototype's.
  Object.setPrototypeOf(metadata, null);
  let own: Partial<TriggerEntry> = {};
  if (values.get('policy') === 'backlog') for (const key of drainKeys) delete metadata[key];
  for (const [key, value] of values) {
    const [direction = '', field] = key.split('.');
    if (scaledCounts.some((one) => one === key)) {
      if (value !== '' && !/^\d{1,9}$/.test(value))
        faults.push(`${key}: must be a whole number, got ${quote(value)}`);
      spec = { ...spec, [key]: value === '' ? undefined : Number(value) };
    } else if ((direction === 'scaleUp' || direction === 'scaleDown') && field !== undefined) {
      const before = mapping(spec.behavior?.[direction]);
      const given = value !== '' && Number.isFinite(Number(value)) ? Number(value) : value || undefined;
      spec = { ...spec, behavior: { ...spec.behavior, [direction]: { ...before, [field]: given } } };
      if (!ruleFields.includes(field)) {
        faults.push(`${key}: must be one of ${ruleFields.map((one) => `${direction}.${one}`).join(', ')}`);
      }
    } else if (key === 'type' && !triggerTypes.includes(value)) {
      faults.push(`type: must be ${triggerTypes.join(' or ')}, got ${quote(value)}`);
    } else if (key === 'useCachedMetrics' && !['true', 'false', ''].includes(value)) {
      faults.push(`${key}: must be true or false, got ${quote(value)}`);
    } else if (key === 'metricType') own = { ...own, metricType: value || 'AverageValue' };
    else if (key === 'type') own = { ...own, [key]: value };
    else if (key === 'useCachedMetrics') own = { ...own, useCachedMetrics: value === 'true' };
    else if (value === '') delete metadata[key];
    else metadata[key] = value;
  }
  if (metadata['policy'] === 'drain' && replicaRate !== undefined)
    metadata['replicaRate'] ??= String(replicaRate);
  const triggers = resource.triggers.map((one, i) => (i === index ? { ...one, ...own, metadata } : one));
  return { resource: { ...resource, spec, triggers }, faults };
}

const triggerTypes = ['external-push', 'external'];
const ruleFields = ['stabilizationWindowSeconds', 'selectPolicy', 'tolerance'];

/** The playable part of one trigger of a ScaledObject, or every fault. Pure. */
export function settingOf(
  name: string,
  resource: ScaledResource,
  index: number,
  sources: readonly AnySource[],
): { readonly setting: Setting } | { readonly faults: readonly string[] } {
  const entry = resource.triggers[index];
  if (entry === undefined) return { faults: [`has no triggers[${index}]`] };
  const { spec } = resource;
  const reference = {
    namespace: resource.namespace || 'default',
    name: resource.name || 'generated',
    metadata: entry.metadata,
  };
  const said = readReference(reference, { sources, refuseSecretsFromEnv: false }, { asWritten: true });
  const mistakes = mistakesOf(resource, oursOf(resource, sources))
    .filter(({ severity, trigger }) => severity === 'error' && (trigger === undefined || trigger === index))
    .map(({ message }) => message);
  const faults = [...new Set([...said.faults, ...mistakes])];
  const unseen = [...said.given.values()].filter((one) => one.unseen).map(({ key }) => key);
  if (unseen.length > 0) faults.push(`${unseen.join(', ')}: only KEDA knows the values; write them plainly`);
  if (spec.scalingModifiers !== undefined) faults.push('scalingModifiers: their formula is not played');
  const { source, common } = said;
  if (!source || faults.length > 0) return { faults };
  // What the trigger says of its connection stands for that; the names of metrics that come of it do not matter here.
  const config = Object.fromEntries([...said.given].map(([key, { value }]) => [key, value]));
  const target = attempt(() => source.target(said.params, config));
  if (target instanceof ScalerError) return { faults: [target.message] };
  const drain = drainPolicyOf(common);
  const trigger: PlayedTrigger = {
    pushed: entry.type === 'external-push',
    cached: entry.useCachedMetrics === true,
    metricType: entry.metricType === 'Value' ? 'Value' : 'AverageValue',
    perReplica: perReplicaOf(target, drain),
    activation: target.activation,
    drain,
    flow: source.learnsReplicaRate === true,
    headroom: { replicas: common.headroomReplicas, whenIdle: common.headroomWhenIdle },
    surge: common.surge,
    maxStalenessSeconds: common.maxStalenessSeconds ?? source.maxStalenessSeconds ?? usualStalenessSeconds,
  };
  return { setting: { name, rules: rulesOf(spec), trigger } };
}
