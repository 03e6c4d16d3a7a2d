import { isMap, isSeq, type Node } from 'yaml';
import { quote } from '../printable.ts';
import { type Pods, podsOf } from './workload.ts';
import { type Mapping, mapping, pairOf, type Values } from './yaml-values.ts';

/** What a ScaledObject or ScaledJob says around its triggers; what is absent is not there. */
export interface ScaledSpec {
  readonly minReplicaCount?: number;
  readonly maxReplicaCount?: number;
  readonly idleReplicaCount?: number;
  readonly pollingInterval?: number;
  readonly cooldownPeriod?: number;
  readonly initialCooldownPeriod?: number;
  readonly fallback?: Mapping;
  /** `advanced.horizontalPodAutoscalerConfig.behavior`, as written. */
  readonly behavior?: Mapping;
  /** `advanced.scalingModifiers`, as written. */
  readonly scalingModifiers?: Mapping;
  readonly scaleTargetRef?: Mapping;
  readonly scalingStrategy?: Mapping;
  readonly rollout?: Mapping;
  /** The older place of `rollout.strategy`. */
  readonly rolloutStrategy?: string;
}

export interface TriggerEntry {
  readonly type: string;
  readonly name?: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** KEDA's default where none is written. */
  readonly metricType: string;
  readonly useCachedMetrics?: boolean;
  readonly authenticationRef?: { readonly name: string; readonly kind: string };
  readonly line: number;
  /** The line of one of its keys, or of a key of its metadata. Its own line by default. */
  lineOf(key: string): number;
  /** Every key beside `metadata`, for what does not belong there. */
  readonly keys: readonly string[];
  /** Where it is in the text. */
  readonly node: Node;
}

export interface ScaledResource {
  readonly kind: (typeof scaledKinds)[number];
  readonly file: string;
  /** '' where the file does not say. */
  readonly namespace: string;
  readonly name: string;
  readonly line: number;
  readonly spec: ScaledSpec;
  /** Every key of `spec`. */
  readonly keys: readonly string[];
  readonly triggers: readonly TriggerEntry[];
  /** Of a ScaledJob's own. */
  readonly pods: Pods;
  readonly node: Node;
  /** The line of the value at a path below `spec`, or of the nearest that is there. */
  lineOf(...path: readonly string[]): number;
}

export const scaledKinds = ['ScaledObject', 'ScaledJob'] as const;

type Named = Pick<ScaledResource, 'kind' | 'file' | 'namespace' | 'name'>;

/**
 * Reads one ScaledObject or ScaledJob. Undefined where it has no `spec`. `addFault`: `part` says where in the object, as
 * `, triggers[0]`. Throws ScalerError where it is too much.
 */
export function resourceOf(
  node: Node,
  named: Named,
  values: Values,
  addFault: (line: number, message: string, part: string) => void,
): ScaledResource | undefined {
  const fault = (at: number, message: string, part = ''): void => addFault(at, message, part);
  const line = values.lineOf(node);
  const apiVersion = values.value(values.child(node, 'apiVersion'));
  if (apiVersion !== 'keda.sh/v1alpha1') {
    fault(line, `apiVersion: must be keda.sh/v1alpha1, got ${quote(String(apiVersion ?? ''))}`);
  }
  const generateName = values.value(values.child(values.child(node, 'metadata'), 'generateName'));
  if (named.name === '' && textOf(generateName) === '') fault(line, 'metadata.name: is missing');
  const specNode = values.child(node, 'spec');
  const raw = mapping(values.value(specNode, (at, key) => fault(at, `${quote(key)} is written twice`)));
  if (raw === undefined || !isMap(specNode)) {
    fault(line, 'spec: is missing');
    return undefined;
  }
  const lineOf = (...path: readonly string[]): number => {
    let at: Node = specNode;
    let found = values.lineOf(specNode);
    for (const key of path) {
      const pair = isMap(at) ? pairOf(at, key) : undefined;
      if (pair === undefined) break;
      found = values.lineOf(pair.key);
      const next = values.resolved(pair.value);
      if (next === undefined) break;
      at = next;
    }
    return found;
  };
  const list = values.resolved(values.child(specNode, 'triggers'));
  if (!isSeq(list) || list.items.length === 0)
    fault(lineOf('triggers'), 'triggers: must be a list with a trigger');
  const triggers = (isSeq(list) ? list.items : []).map((item, i) =>
    triggerOf(values.resolved(item), values, values.lineOf(item), (at, message) =>
      fault(at, message, `, triggers[${i}]`),
    ),
  );
  return {
    ...named,
    line,
    spec: specOf(raw, (key, message) => fault(lineOf(key), `${key}: ${message}`)),
    keys: Object.keys(raw),
    triggers: triggers.filter((one) => one !== undefined),
    pods: podsOf(mapping(raw['jobTargetRef'])?.['template']),
    node,
    lineOf,
  };
}

/** Those that are whole numbers. */
export const scaledCounts = [
  'minReplicaCount',
  'maxReplicaCount',
  'idleReplicaCount',
  'pollingInterval',
  'cooldownPeriod',
  'initialCooldownPeriod',
] as const;

function specOf(raw: Mapping, fault: (key: string, message: string) => void): ScaledSpec {
  const counts: Partial<Record<(typeof scaledCounts)[number], number>> = {};
  for (const key of scaledCounts) {
    const value = raw[key];
    if (value === undefined || value === null) continue;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0) counts[key] = value;
    else fault(key, `must be a whole number without quotes or unit, got ${quote(String(value))}`);
  }
  const advanced = mapping(raw['advanced']);
  const hpa = mapping(advanced?.['horizontalPodAutoscalerConfig']);
  const mappings = {
    fallback: mapping(raw['fallback']),
    behavior: mapping(hpa?.['behavior']),
    scalingModifiers: mapping(advanced?.['scalingModifiers']),
    scaleTargetRef: mapping(raw['scaleTargetRef']),
    scalingStrategy: mapping(raw['scalingStrategy']),
    rollout: mapping(raw['rollout']),
  };
  const given = Object.entries(mappings).filter(([, value]) => value !== undefined);
  const { rolloutStrategy } = raw;
  const older = typeof rolloutStrategy === 'string' ? { rolloutStrategy } : {};
  return { ...counts, ...Object.fromEntries(given), ...older };
}

function triggerOf(
  node: Node | undefined,
  values: Values,
  line: number,
  fault: (line: number, message: string) => void,
): TriggerEntry | undefined {
  if (!isMap(node)) {
    fault(line, 'must be a mapping with type and metadata');
    return undefined;
  }
  const raw = mapping(values.value(node)) ?? {};
  const metadataNode = values.resolved(values.child(node, 'metadata'));
  const lineOf = (key: string): number => {
    const pair = (isMap(metadataNode) && pairOf(metadataNode, key)) || pairOf(node, key);
    return pair ? values.lineOf(pair.key) : line;
  };
  const type = textOf(raw['type']);
  if (type === '') fault(line, 'type: is missing');
  const given = raw['metadata'];
  if (given !== undefined && given !== null && mapping(given) === undefined) {
    fault(lineOf('metadata'), 'metadata: must be a mapping of keys to texts');
  }
  // Without a prototype: a key __proto__ is one of the trigger's, too.
  const metadata: Record<string, string> = Object.setPrototypeOf({}, null);
  for (const [key, value] of Object.entries(mapping(given) ?? {})) {
    metadata[key] = typeof value === 'string' ? value : value === null ? '' : textIn(value);
    const problem = noText(value);
    if (problem !== undefined) fault(lineOf(key), `${key}: ${problem}`);
  }
  const cached = raw['useCachedMetrics'];
  if (cached !== undefined && typeof cached !== 'boolean') {
    fault(lineOf('useCachedMetrics'), 'useCachedMetrics: must be true or false');
  }
  const ref = mapping(raw['authenticationRef']);
  return {
    type,
    ...(typeof raw['name'] === 'string' ? { name: raw['name'] } : {}),
    metadata,
    metricType: textOf(raw['metricType']) || 'AverageValue',
    ...(typeof cached === 'boolean' ? { useCachedMetrics: cached } : {}),
    ...(ref === undefined
      ? {}
      : {
          authenticationRef: {
            name: textOf(ref['name']),
            kind: textOf(ref['kind']) || 'TriggerAuthentication',
          },
        }),
    line,
    lineOf,
    keys: Object.keys(raw),
    node,
  };
}

/** Why Kubernetes does not take a value of `metadata`, which is a map of texts in the CRD. */
function noText(value: unknown): string | undefined {
  if (typeof value === 'string') {
    return undefined;
  }
  if (typeof value === 'number' || typeof value === 'boolean') {
    return `Kubernetes takes text only: write ${quote(String(value))} in quotes`;
  }
  if (value === null) return undefined;
  return 'must be text: lists are written as one text, with commas';
}

function textIn(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join(',') : String(value);
}

export function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
