import { isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { attempt, ScalerError } from '../errors.ts';
import { quote } from '../printable.ts';
import { type Mapping, mapping, pairOf, Values } from './yaml-values.ts';

/** What is wrong with a file, or with a ScaledObject in it. */
export interface Fault {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** `ScaledObject shop/orders, triggers[0]`; '' for the file itself. */
  readonly where: string;
  readonly message: string;
  /** An error: KEDA, Kubernetes or the scaler refuses it, or it never scales. A warning: it scales, but probably not as intended. */
  readonly severity: 'error' | 'warning';
}

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
  readonly kind: 'ScaledObject' | 'ScaledJob';
  readonly file: string;
  /** '' where the file does not say. */
  readonly namespace: string;
  readonly name: string;
  readonly line: number;
  readonly spec: ScaledSpec;
  /** Every key of `spec`. */
  readonly keys: readonly string[];
  readonly triggers: readonly TriggerEntry[];
  readonly node: Node;
  /** The line of the value at a path below `spec`, or of the nearest that is there. */
  lineOf(...path: readonly string[]): number;
}

/** `TriggerAuthentication` and `ClusterTriggerAuthentication`: names of Secrets and their keys, never data. */
export interface TriggerAuthentication {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly spec: Mapping;
  readonly node: Node;
}

export interface Secret {
  readonly kind: 'Secret';
  readonly namespace: string;
  readonly name: string;
  /** Reads this key alone. */
  valueAt(key: string): string | undefined;
}

export interface ScaledResources {
  readonly resources: readonly ScaledResource[];
  readonly authentications: readonly TriggerAuthentication[];
  readonly secrets: readonly Secret[];
  /** How many objects of other kinds were passed over. */
  readonly others: number;
  readonly faults: readonly Fault[];
}

/** Far above what `kubectl get scaledobjects -A -o yaml` prints of a thousand. */
export const maxYamlBytes = 5 * 1024 * 1024;
const maxObjects = 5_000;
/** Of one file: after that many nobody reads on. */
const maxYamlFaults = 20;

const tooDeep = 'is not YAML that can be read: it is nested too deeply';

/**
 * Finds the ScaledObjects and ScaledJobs of a text: any number of documents, and lists as `kubectl get -o yaml` prints
 * them. Never throws for bad input. Only relevant documents are read to their end, within bounds.
 */
export function readScaledResources(text: string, file: string): ScaledResources {
  const lines = new LineCounter();
  const found: {
    resources: ScaledResource[];
    authentications: TriggerAuthentication[];
    secrets: Secret[];
    others: number;
  } = {
    resources: [],
    authentications: [],
    secrets: [],
    others: 0,
  };
  const faults: Fault[] = [];
  const fault = (line: number, message: string): void => {
    faults.push({ file, line, where: '', message, severity: 'error' });
  };
  const result = { ...found, faults };
  if (Buffer.byteLength(text) > maxYamlBytes) {
    fault(1, `is larger than ${maxYamlBytes} bytes`);
    return result;
  }
  // Not `uniqueKeys`: it compares each key with all others. What is read here looks for itself.
  const documents = attempt(() =>
    parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, merge: true }),
  );
  if (documents instanceof ScalerError) {
    // Only its own stack can end the parser.
    fault(1, tooDeep);
    return result;
  }
  let left = maxObjects;
  for (const document of Array.isArray(documents) ? documents : []) {
    if (document.errors.length > 0) {
      const [error] = document.errors;
      const line = lines.linePos(error?.pos[0] ?? 0).line;
      // Some of the parser's messages go on with the text they are about, which may be a secret.
      const why = error?.message.split(/[:\n]/, 1)[0];
      const isDeep = why === 'Maximum call stack size exceeded';
      if (faults.length < maxYamlFaults) fault(line, isDeep ? tooDeep : `is not YAML: ${why}`);
      continue;
    }
    const values = new Values(document, lines);
    const objects = attempt(() => [...objectsOf(document.contents, values)]);
    if (objects instanceof ScalerError) {
      fault(values.lastLine, objects.message);
      continue;
    }
    for (const node of objects) {
      left -= 1;
      if (left === -1)
        fault(values.lineOf(node), `has more than ${maxObjects} objects; the rest was not read`);
      if (left < 0) break;
      const read = attempt(() => objectOf(node, values, file, faults));
      if (read instanceof ScalerError) fault(values.lastLine, read.message);
      else if (read === undefined) result.others += 1;
      else if ('valueAt' in read) {
        result.secrets.push(read);
        result.others += 1;
      } else if ('triggers' in read) result.resources.push(read);
      else result.authentications.push(read);
    }
  }
  return { ...result, faults: ofTemplate(text, file, faults) };
}

/** Whether a text is YAML in which no document says `apiVersion` or `kind`, as every object of Kubernetes does. */
export function isForeign(text: string): boolean {
  if (/^["']?(?:apiVersion|kind)["']?\s*:/m.test(text)) return false;
  const documents = attempt(() => parseAllDocuments(text, { prettyErrors: false, uniqueKeys: false }));
  return (
    Array.isArray(documents) &&
    documents.every(
      ({ errors, contents }) =>
        errors.length === 0 &&
        pairOf(contents, 'apiVersion') === undefined &&
        pairOf(contents, 'kind') === undefined,
    )
  );
}

/** A line of a template: what it makes is YAML, itself it is not, or is by chance. */
const templated = /^\s*(?:- )?(?:[\w.-]+:\s*)?\{\{/;

/** A template's faults are those of one thing. */
function ofTemplate(text: string, file: string, faults: readonly Fault[]): readonly Fault[] {
  const line = faults.length === 0 ? -1 : text.split('\n').findIndex((one) => templated.test(one));
  if (line === -1) return faults;
  const message =
    'is a template, not YAML: render it first, as in helm template … | backlog-scaler validate -f -';
  return [{ file, line: line + 1, where: '', message, severity: 'error' }];
}

/** Every object of a document: itself, or the items of a List. */
function* objectsOf(root: unknown, values: Values): Generator<Node> {
  const node = values.resolved(root);
  if (!isMap(node)) {
    if (node === undefined || (isScalar(node) && node.value === null)) return;
    throw new ScalerError(
      'invalid',
      'is no object of Kubernetes: it must be a mapping with apiVersion and kind',
    );
  }
  const kind = values.value(values.child(node, 'kind'));
  const items = values.child(node, 'items');
  if (typeof kind === 'string' && kind.endsWith('List') && isSeq(items)) {
    for (const item of items.items) {
      const object = values.resolved(item);
      if (object !== undefined) yield object;
    }
    return;
  }
  yield node;
}

const kinds = ['ScaledObject', 'ScaledJob'] as const;
const authenticationKinds = ['TriggerAuthentication', 'ClusterTriggerAuthentication'];

function objectOf(
  node: Node,
  values: Values,
  file: string,
  faults: Fault[],
): ScaledResource | TriggerAuthentication | Secret | undefined {
  const line = values.lineOf(node);
  const apiVersion = values.value(values.child(node, 'apiVersion'));
  const written = values.value(values.child(node, 'kind'));
  if (typeof written !== 'string') {
    const message = 'is no object of Kubernetes: it has no kind';
    faults.push({ file, line, where: '', message, severity: 'error' });
    return undefined;
  }
  const meta = mapping(values.value(values.child(node, 'metadata'))) ?? {};
  const names = { namespace: textOf(meta['namespace']), name: textOf(meta['name']) };
  if (authenticationKinds.includes(written)) {
    return { kind: written, ...names, spec: mapping(values.value(values.child(node, 'spec'))) ?? {}, node };
  }
  if (written === 'Secret') {
    return { kind: written, ...names, valueAt: (key) => valueInSecret(node, values, key) };
  }
  const kind = kinds.find((one) => one === written);
  if (kind === undefined) return undefined;
  const where = `${kind} ${names.namespace === '' ? '' : `${names.namespace}/`}${names.name || '(no name)'}`;
  const fault = (at: number, message: string, part = ''): void => {
    faults.push({ file, line: at, where: `${where}${part}`, message, severity: 'error' });
  };
  if (apiVersion !== 'keda.sh/v1alpha1') {
    fault(line, `apiVersion: must be keda.sh/v1alpha1, got ${quote(String(apiVersion ?? ''))}`);
  }
  if (names.name === '' && textOf(meta['generateName']) === '') fault(line, 'metadata.name: is missing');
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
    kind,
    file,
    ...names,
    line,
    spec: specOf(raw, (key, message) => fault(lineOf(key), `${key}: ${message}`)),
    keys: Object.keys(raw),
    triggers: triggers.filter((one) => one !== undefined),
    node,
    lineOf,
  };
}

/** As the API server has it: `stringData` wins. */
function valueInSecret(node: Node, values: Values, key: string): string | undefined {
  const textAt = (part: string): string | undefined => {
    const text = attempt(() => values.value(values.child(values.child(node, part), key)));
    return typeof text === 'string' ? text : undefined;
  };
  const data = textAt('data');
  return textAt('stringData') ?? (data === undefined ? undefined : Buffer.from(data, 'base64').toString());
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

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
