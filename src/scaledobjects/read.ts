import { isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { attempt, ScalerError } from '../errors.ts';
import { resourceOf, type ScaledResource, scaledKinds, textOf } from './scaled-resource.ts';
import { type Workload, workloadKinds, workloadOf } from './workload.ts';
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
  readonly node: Node;
  readonly line: number;
}

export interface ScaledResources {
  readonly resources: readonly ScaledResource[];
  readonly authentications: readonly TriggerAuthentication[];
  readonly secrets: readonly Secret[];
  readonly workloads: readonly Workload[];
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
    workloads: Workload[];
    others: number;
  } = {
    resources: [],
    authentications: [],
    secrets: [],
    workloads: [],
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
      else if ('pods' in read) {
        result.workloads.push(read);
        result.others += 1;
      } else result.authentications.push(read);
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

export const authenticationKinds = ['TriggerAuthentication', 'ClusterTriggerAuthentication'];

function objectOf(
  node: Node,
  values: Values,
  file: string,
  faults: Fault[],
): ScaledResource | TriggerAuthentication | Secret | Workload | undefined {
  const line = values.lineOf(node);
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
    return { kind: written, ...names, node, line, valueAt: (key) => valueInSecret(node, values, key) };
  }
  if (workloadKinds.includes(written)) return workloadOf(node, { kind: written, ...names }, values);
  const kind = scaledKinds.find((one) => one === written);
  if (kind === undefined) return undefined;
  return resourceOf(node, { kind, file, ...names }, values, (at, message, part) => {
    const where = `${kind} ${names.namespace === '' ? '' : `${names.namespace}/`}${names.name || '(no name)'}${part}`;
    faults.push({ file, line: at, where, message, severity: 'error' });
  });
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
