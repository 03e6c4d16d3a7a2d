import { isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import type { AnySource } from '../sources/source.ts';
import { readReference } from '../triggers/resolve.ts';
import { type ConnectionEntry, doubtsOf, entriesOf, mayFit, type Place, placeOf } from './connections.ts';
import { authenticationOf, loginsOf } from './logins.ts';
import { type Fault, readScaledResources, type ScaledResources } from './read.ts';
import type { ScaledResource, TriggerEntry } from './scaled-resource.ts';
import type { Input } from './validate.ts';
import { pairOf } from './yaml-values.ts';

/** KEDA's scalers that are converted, and the source that does their work here. */
export const builtIns: Readonly<Record<string, string>> = {
  kafka: 'kafka',
  'apache-kafka': 'kafka',
  'aws-sqs-queue': 'sqs',
  'github-runner': 'github',
  'nats-jetstream': 'nats',
};

export interface ConvertedFile {
  readonly file: string;
  /** The text, in which only what had to be is another. */
  readonly text: string;
  readonly triggers: number;
  /** What cannot be converted, or needs a check. An error is an unchanged trigger. */
  readonly notes: readonly Fault[];
  /** What is wrong with the text itself. */
  readonly faults: readonly Fault[];
}

export interface ConvertSettings {
  readonly sources: readonly AnySource[];
  /** What becomes `scalerAddress`. */
  readonly scalerAddress: string;
  /** The namespace of objects without one. */
  readonly namespace: string;
  /** The result goes elsewhere than into the files: then it has no Secrets. */
  readonly isCopy?: boolean;
}

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * Makes the triggers of KEDA's own scalers this scaler's, and the connections that all of them need. Beside them, what the
 * API server and `kubectl apply` write into an object is taken out. All else stays as it is, byte for byte; a text that
 * was converted stays as it is altogether. Pure.
 */
export function convertInputs(
  inputs: readonly Input[],
  settings: ConvertSettings,
): { files: readonly ConvertedFile[]; connections: readonly ConnectionEntry[] } {
  const places = new Map<string, Place>();
  const read = inputs.map((input) => ({ ...input, ...readScaledResources(input.text, input.file) }));
  const all = {
    authentications: read.flatMap(({ authentications }) => authentications),
    secrets: read.flatMap(({ secrets }) => secrets),
  };
  const drafts = read.map((one) => draftOf(one, all, settings, places));
  const placed = [...places.values()];
  const files = drafts.map(({ file, text, notes, faults, edits, converted }): ConvertedFile => {
    const heads = converted.map(({ metadata, place, namespace }) => {
      const { source, name } = place;
      const named = placed.filter((one) => mayFit(one, place, namespace)).length > 1;
      return insertion(text, metadata, [
        ['scalerAddress', settings.scalerAddress],
        ['source', source.kind],
        ...(named ? [['connection', name] as const] : []),
      ]);
    });
    return {
      file,
      text: applied(text, [...heads, ...edits]),
      triggers: converted.length,
      notes: notes.toSorted((a, b) => a.line - b.line),
      faults,
    };
  });
  return { files, connections: entriesOf(placed, namespaceOf(settings.scalerAddress)) };
}

/** Of a Service's address; where it does not say one, KEDA's. */
function namespaceOf(scalerAddress: string): string {
  return /^[\w-]+\.([a-z][a-z0-9-]*)/.exec(scalerAddress)?.[1] ?? 'keda';
}

/** A file before the connections of all files are known: they decide which trigger has to name its own. */
interface Draft extends Input {
  readonly edits: readonly Edit[];
  readonly converted: readonly {
    readonly metadata: YAMLMap;
    readonly place: Place;
    readonly namespace: string;
  }[];
  readonly notes: readonly Fault[];
  readonly faults: readonly Fault[];
}

function draftOf(
  { text, file, resources, authentications, secrets, faults }: Input & ScaledResources,
  all: Pick<ScaledResources, 'authentications' | 'secrets'>,
  settings: ConvertSettings,
  places: Map<string, Place>,
): Draft {
  const edits: Edit[] = [];
  const converted: Draft['converted'][number][] = [];
  const notes: Fault[] = [];
  for (const resource of resources) {
    for (const [index, entry] of resource.triggers.entries()) {
      const kind = Object.hasOwn(builtIns, entry.type) ? builtIns[entry.type] : undefined;
      const source = settings.sources.find((one) => one.kind === kind);
      if (source === undefined) continue;
      const where = `${resource.kind} ${resource.namespace === '' ? '' : `${resource.namespace}/`}${resource.name}, triggers[${index}]`;
      const note = (key: string, message: string, severity: Fault['severity'] = 'warning'): void => {
        notes.push({ file, line: entry.lineOf(key), where, message, severity });
      };
      const made = convertTrigger(text, { resource, entry, source }, settings, note);
      if (made === undefined) continue;
      edits.push(...made.edits);
      const namespace = resource.namespace || settings.namespace;
      const placed = { source, entry, namespace };
      const authentication = authenticationOf(
        { ref: entry.authenticationRef, namespace },
        all.authentications,
      );
      const logins = authentication && loginsOf(authentication, namespace, all.secrets);
      for (const message of doubtsOf(placed, authentication, logins ?? []))
        note('authenticationRef', message);
      const place = placeOf(places, placed, logins);
      converted.push({ metadata: made.metadata, place, namespace });
    }
  }
  const objects = converted.length === 0 ? [] : [...resources, ...authentications];
  for (const { node } of objects) edits.push(...withoutServersPart(text, node));
  for (const { node, line, namespace, name } of settings.isCopy ? secrets : []) {
    edits.push(withoutObject(text, node));
    const where = `Secret ${namespace === '' ? '' : `${namespace}/`}${name}`;
    notes.push({
      file,
      line,
      where,
      message: 'is left out of the result, with its data',
      severity: 'warning',
    });
  }
  return { file, text, edits, converted, notes, faults };
}

const serversMetadata = ['resourceVersion', 'uid', 'generation', 'creationTimestamp', 'managedFields'];
/** Where `kubectl apply` keeps the object of before, with its old triggers. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Takes out what only the API server and `kubectl apply` write: with it what `kubectl get` printed cannot be applied for long. */
function* withoutServersPart(text: string, node: Node): Generator<Edit> {
  if (!isMap(node)) return;
  const metadata = pairOf(node, 'metadata')?.value;
  const gone = (holder: YAMLMap, keys: readonly string[]): ReadonlySet<Pair> =>
    new Set(keys.map((key) => pairOf(holder, key)).filter((pair) => pair !== undefined));
  if (isMap(metadata)) {
    const annotations = pairOf(metadata, 'annotations')?.value;
    const applied = isMap(annotations) ? gone(annotations, [lastApplied]) : new Set<Pair>();
    const isAll = isMap(annotations) && applied.size > 0 && applied.size === annotations.items.length;
    yield* removals(text, metadata, gone(metadata, [...serversMetadata, ...(isAll ? ['annotations'] : [])]));
    if (isMap(annotations) && !isAll) yield* removals(text, annotations, applied);
  }
  yield* removals(text, node, gone(node, ['status']));
}

/** Takes an object out: a document, or an item of a list. */
function withoutObject(text: string, node: Node): Edit {
  const [from, , after] = node.range ?? [0, 0, 0];
  const lineStart = text.lastIndexOf('\n', from - 1) + 1;
  const start = /^\s*(?:- +)?$/.test(text.slice(lineStart, from)) ? lineStart : from;
  const end = lastOf(node)?.range?.[1] ?? after;
  if (isMap(node) && node.flow === true) {
    const comma = /^\s*,\s*/.exec(text.slice(end))?.[0] ?? '';
    const before = comma === '' ? (/,\s*$/.exec(text.slice(0, start))?.[0] ?? '') : '';
    return { from: start - before.length, to: end + comma.length, text: '' };
  }
  const newline = text[end - 1] === '\n' ? end - 1 : text.indexOf('\n', end);
  return { from: start, to: newline === -1 ? text.length : newline + 1, text: '' };
}

interface BuiltIn {
  readonly resource: ScaledResource;
  readonly entry: TriggerEntry;
  readonly source: AnySource;
}

type Note = (key: string, message: string, severity?: Fault['severity']) => void;

/** The edits, all but the new keys of its metadata; undefined where the trigger has to stay as it is, and why is noted. */
function convertTrigger(
  text: string,
  { resource, entry, source }: BuiltIn,
  settings: ConvertSettings,
  note: Note,
): { edits: Edit[]; metadata: YAMLMap } | undefined {
  const stay = (key: string, why: string): undefined => {
    note(key, `stays as it is: ${why}`, 'error');
    return undefined;
  };
  const { node } = entry;
  const type = pairOf(node, 'type')?.value;
  const metadataPair = pairOf(node, 'metadata');
  const metadata = metadataPair?.value;
  if (!isMap(node) || !isScalar(type) || !type.range) return stay('type', 'it is written by an alias');
  if (!isMap(metadata) || metadata.items.length === 0)
    return stay('metadata', 'its metadata is empty, or written by an alias');
  if (entry.metadata['sasl'] === 'gssapi') return stay('sasl', 'there is no Kerberos (sasl: gssapi)');

  const type_ = resource.kind === 'ScaledJob' ? 'external' : 'external-push';
  const edits: Edit[] = [
    { from: type.range[0], to: type.range[1], text: likeScalar(text, type.range, type_) },
  ];
  const kept: Record<string, string> = { ...entry.metadata };
  const gone = new Set<Pair>();
  const remove = (holder: YAMLMap, key: string, why: string): void => {
    const pair = pairOf(holder, key);
    if (pair === undefined) return;
    gone.add(pair);
    note(key, `${key}: is taken out: ${why}`);
  };
  const said = readReference(
    { namespace: 'default', name: 'x', metadata: { ...kept, source: source.kind } },
    { sources: settings.sources, refuseSecretsFromEnv: false },
    { asWritten: true },
  );
  for (const key of Object.keys(kept)) {
    const plain = key.replace(/FromEnv$/, '');
    if (source.connectionKeys[plain]?.secret) {
      remove(metadata, key, 'a secret, which belongs to the connection');
      delete kept[key];
    } else if (said.faults.some((fault) => fault.startsWith(`"${key}": unknown key`))) {
      remove(metadata, key, `the source ${source.kind} has no such key`);
      delete kept[key];
    }
  }
  if (entry.authenticationRef !== undefined) {
    const { kind, name } = entry.authenticationRef;
    const left = `${kind} ${name} stays: delete it and its Secret when nothing else uses them`;
    remove(node, 'authenticationRef', `credentials belong to the connection. ${left}`);
  }
  if (entry.useCachedMetrics !== undefined) {
    remove(node, 'useCachedMetrics', 'after a push the HPA would get the zero of the last poll');
  }
  edits.push(...removals(text, metadata, gone), ...removals(text, node, gone));
  const after = readReference(
    { namespace: 'default', name: 'x', metadata: { ...kept, source: source.kind } },
    { sources: settings.sources, refuseSecretsFromEnv: false },
    { asWritten: true },
  );
  for (const fault of after.faults) note(/^"?([\w.]+)/.exec(fault)?.[1] ?? '', fault);
  if (resource.kind === 'ScaledJob' && (resource.spec.pollingInterval ?? 30) > 1) {
    note(
      'type',
      'pollingInterval: Jobs are only created at polls: set 1, a poll costs the source nothing now',
    );
  }
  return { edits, metadata };
}

/** In the quotes that the old value has. */
function likeScalar(text: string, [from]: readonly [number, number, number], value: string): string {
  const mark = text[from];
  return mark === '"' || mark === "'" ? `${mark}${value}${mark}` : value;
}

/** New keys in front of the first, in the way the mapping is written. */
function insertion(text: string, map: YAMLMap, entries: readonly (readonly [string, string])[]): Edit {
  const [from] = map.range ?? [0];
  const [first] = map.items;
  const at = isScalar(first?.key) && first.key.range ? first.key.range[0] : from;
  if (map.flow === true) {
    const pairs = entries.map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
    const between = text.slice(from + 1, at);
    return { from: at, to: at, text: pairs.map((pair) => `${pair},${between || ' '}`).join('') };
  }
  // On lines of their own, so that what is taken out is another edit.
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const indent = text.slice(lineStart, at);
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = entries.map(([key, value]) => `${indent}${key}: ${value}${newline}`);
  return { from: lineStart, to: lineStart, text: lines.join('') };
}

/** Takes pairs out: with their lines where they stand on lines of their own, or with their commas. */
function* removals(text: string, map: YAMLMap, gone: ReadonlySet<Pair>): Generator<Edit> {
  const { items } = map;
  for (let i = 0; i < items.length; i += 1) {
    const pair = items[i];
    if (pair === undefined || !gone.has(pair)) continue;
    const from = startOf(pair.key);
    const lineStart = text.lastIndexOf('\n', from - 1) + 1;
    if (map.flow !== true && text.slice(lineStart, from).trim() === '') {
      // A text in a block ends behind its last line.
      const end = endOf(pair);
      const newline = text[end - 1] === '\n' ? end - 1 : text.indexOf('\n', end);
      yield { from: lineStart, to: newline === -1 ? text.length : newline + 1, text: '' };
      continue;
    }
    // After a bracket, comma or dash: the next remaining entry moves there, over the removed ones.
    let last = i;
    for (let next = items[last + 1]; next !== undefined && gone.has(next); next = items[last + 1]) last += 1;
    const next = items[last + 1];
    const before = items[i - 1];
    const end = endOf(items[last] ?? pair);
    if (next !== undefined) yield { from, to: startOf(next.key), text: '' };
    else yield { from: before === undefined ? from : endOf(before), to: end, text: '' };
    i = last;
  }
}

function startOf(node: unknown): number {
  return (isScalar(node) ? node.range?.[0] : undefined) ?? 0;
}

/** Where its value ends, comments and line ends behind it left out. */
function endOf({ key, value }: Pair): number {
  const last = lastOf(value) ?? (isScalar(key) ? key : undefined);
  return last?.range?.[1] ?? 0;
}

/** Of a block collection the last scalar in it: its own range reaches over comments that follow. */
function lastOf(value: unknown): Node | undefined {
  if (isMap(value) && value.flow !== true) {
    const pair = value.items.at(-1);
    return lastOf(pair?.value) ?? (isScalar(pair?.key) ? pair.key : undefined);
  }
  if (isSeq(value) && value.flow !== true) return lastOf(value.items.at(-1));
  return isScalar(value) || isMap(value) || isSeq(value) ? value : undefined;
}

function applied(text: string, edits: readonly Edit[]): string {
  let result = '';
  let at = 0;
  for (const { from, to, text: put } of edits.toSorted((a, b) => a.from - b.from)) {
    result += text.slice(at, from) + put;
    at = Math.max(at, to);
  }
  return result + text.slice(at);
}
