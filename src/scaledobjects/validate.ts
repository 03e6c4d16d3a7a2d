import { attempt, ScalerError } from '../errors.ts';
import { marksIn } from '../placeholders.ts';
import type { AnySource, Environment, NamedConnection } from '../sources/source.ts';
import { checkReference } from '../triggers/reference.ts';
import { outcomeOf, readReference, type World } from '../triggers/resolve.ts';
import { allows, refusalByName } from '../triggers/select-connection.ts';
import { authenticationOf, parametersOf } from './logins.ts';
import { error, isTrue, type Mistake, type OurTrigger, oursOf, sharedTargets, warning } from './mistakes.ts';
import {
  authenticationKinds,
  type Fault,
  readScaledResources,
  type Secret,
  type TriggerAuthentication,
} from './read.ts';
import { type ReadTrigger, sameItems } from './same-items.ts';
import type { ScaledResource } from './scaled-resource.ts';
import { specMistakes } from './spec-mistakes.ts';
import { triggerMistakes } from './trigger-mistakes.ts';
import type { NeededSecret, Pods, Workload } from './workload.ts';

export interface Input {
  readonly file: string;
  readonly text: string;
}

/** What triggers are checked against: of a configuration all, without one the sources alone. */
export interface Rules {
  readonly sources: readonly AnySource[];
  readonly world?: World;
  /** The connections of a configuration that cannot be used here. */
  readonly connections?: ReadonlyMap<string, NamedConnection> | undefined;
  /** Of the scaler's gRPC port, where that is known. Mutual: callers must show a certificate. */
  readonly tls?: 'none' | 'server' | 'mutual' | undefined;
  /** The namespace of objects without one. '' means unknown. */
  readonly namespace: string;
}

export interface Report {
  readonly faults: readonly Fault[];
  readonly files: number;
  readonly scaledObjects: number;
  readonly scaledJobs: number;
  /** Triggers of this scaler. */
  readonly triggers: number;
  /** Triggers of other scalers. Only their name is checked. */
  readonly otherTriggers: number;
  /** Objects of other kinds. */
  readonly otherObjects: number;
  /** Triggers of which only a connection, or a variable of the workload, could say the rest. */
  readonly leftOpen: number;
  /** What only the cluster knows to be there. */
  readonly needs: readonly Need[];
}

/** An object that a ScaledObject or ScaledJob of ours needs, and that is not in the files. */
export interface Need {
  readonly kind: string;
  /** '' where the files do not say. */
  readonly namespace: string;
  readonly name: string;
  /** Of a Secret; none where all are taken. */
  readonly keys: readonly string[];
}

/** Every fault of the ScaledObjects and ScaledJobs in these files. Pure. */
export function validateInputs(inputs: readonly Input[], rules: Rules): Report {
  const read = inputs.map(({ file, text }) => readScaledResources(text, file));
  const resources = read.flatMap((one) => one.resources);
  const faults = read.flatMap((one) => one.faults);
  const authentications = read.flatMap((one) => one.authentications);
  const workloads = read.flatMap((one) => one.workloads);
  const secrets = read.flatMap((one) => one.secrets);
  const shared = sharedTargets(resources);
  let [triggers, leftOpen] = [0, 0];
  const right: ReadTrigger[] = [];
  const needs: Need[] = [];
  for (const resource of resources) {
    const ours = oursOf(resource, rules.sources);
    const pods = podsAt(resource, workloads);
    const namespace = resource.namespace || rules.namespace;
    if (ours.length > 0) needs.push(...neededSecrets(pods, namespace, secrets));
    const mistakes = [...mistakesOf(resource, ours)];
    const conflict = shared.get(resource);
    if (conflict !== undefined) mistakes.push(conflict);
    for (const trigger of ours) {
      triggers += 1;
      const said = triggerFaults(resource, trigger, rules, pods.environments);
      if (said.open) leftOpen += 1;
      if (said.right !== undefined) right.push({ resource, trigger, ...said.right });
      const { authenticationRef: ref } = trigger.entry;
      const isThere = authenticationOf({ ref, namespace }, authentications) !== undefined;
      if (ref !== undefined && !isThere)
        needs.push({ ...ref, namespace: ref.kind === 'TriggerAuthentication' ? namespace : '', keys: [] });
      mistakes.push(...tlsFaults(resource, trigger, rules, authentications));
      mistakes.push(...said.faults.filter((one) => !mistakes.some((other) => sameKey(one, other))));
    }
    faults.push(...mistakes.map((mistake) => faultOf(resource, mistake)));
  }
  for (const [resource, mistakes] of sameItems(right)) {
    faults.push(...mistakes.map((mistake) => faultOf(resource, mistake)));
  }
  for (const { file, text } of inputs) {
    for (const one of marksIn(text)) faults.push({ file, ...one, where: '', severity: 'warning' });
  }
  const order = new Map(inputs.map(({ file }, i) => [file, i]));
  return {
    faults: faults.toSorted((a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) || a.line - b.line),
    files: inputs.length,
    scaledObjects: resources.filter(({ kind }) => kind === 'ScaledObject').length,
    scaledJobs: resources.filter(({ kind }) => kind === 'ScaledJob').length,
    triggers,
    otherTriggers: resources.reduce((sum, one) => sum + one.triggers.length, 0) - triggers,
    otherObjects: read.reduce((sum, { others, authentications }) => sum + others + authentications.length, 0),
    leftOpen,
    needs: merged(needs),
  };
}

/** What is wrong around these triggers, in the order of lines. Pure. */
export function mistakesOf(resource: ScaledResource, ours: readonly OurTrigger[]): readonly Mistake[] {
  return [...specMistakes, ...triggerMistakes]
    .flatMap((rule) => [...rule(resource, ours)])
    .toSorted((a, b) => a.line - b.line);
}

interface TriggerFaults {
  readonly faults: Mistake[];
  /** Whether there is more that cannot be known here. */
  readonly open: boolean;
  /** What it says, where there is no fault in it. */
  readonly right?: Omit<ReadTrigger, 'resource' | 'trigger'>;
}

/** What the running scaler would say of a trigger. */
function triggerFaults(
  { kind, namespace, name }: ScaledResource,
  { index, entry }: OurTrigger,
  rules: Rules,
  environments: readonly Environment[],
): TriggerFaults {
  const place = namespace || rules.namespace;
  // What stands for a name that is not written: KEDA always has one.
  const reference = { namespace: place || 'default', name: name || 'generated', metadata: entry.metadata };
  const mistake = (message: string): Mistake => ({
    line: entry.lineOf(keyIn(message)),
    trigger: index,
    severity: 'error',
    message,
  });
  const tooLarge = attempt(() => checkReference(reference));
  if (tooLarge instanceof ScalerError) return { faults: [mistake(tooLarge.message)], open: false };
  const known = rules.world ?? { sources: rules.sources, refuseSecretsFromEnv: false };
  const said = readReference(reference, known, { asWritten: true });
  const more = said.unsaid > 0 ? [mistake(`metadata: has ${said.unsaid} more unknown keys`)] : [];
  const isRight = said.faults.length + more.length === 0;
  const doubts = (connection?: NamedConnection): Mistake[] => {
    if (!isRight) return [];
    const { source, params } = said;
    const all = [...((rules.world ?? rules).connections?.values() ?? [])];
    const others = all.filter((one) => one !== connection && one.source === source && allows(one, place));
    const isJob = kind === 'ScaledJob';
    const around = { config: connection?.config, others, environments, isJob };
    return (source?.doubts?.(params, around) ?? []).map((doubt) => ({
      ...mistake(doubt),
      severity: 'warning',
    }));
  };
  const alone = (connection?: NamedConnection): TriggerFaults => ({
    faults: [...said.faults.map(mistake), ...more, ...doubts(connection)],
    open: true,
    ...(isRight ? { right: { said, namespace: place } } : {}),
  });
  const unseen = [...said.given.values()].some((one) => one.unseen);
  if (unseen || place === '') return alone();
  if (rules.world === undefined) {
    const { connections } = rules;
    const { source, given, common } = said;
    if (connections === undefined || source === undefined || said.overlong) return alone();
    const refusal = refusalByName({ source, namespace: place, named: common.connection, given, connections });
    if (refusal === undefined) return alone(connections.get(common.connection));
    const faults = refusal.kind === 'denied' ? [refusal.message] : refusal.faults;
    return { faults: [...alone().faults, ...faults.map(mistake)], open: false };
  }
  const outcome = outcomeOf(reference, rules.world, said);
  if (outcome.kind === 'measured') {
    const { connection } = outcome.measured;
    return { faults: doubts(connection), open: false, right: { said, connection, namespace: place } };
  }
  if (outcome.kind === 'denied')
    return { faults: [...alone().faults, mistake(outcome.message)], open: false };
  return { faults: [...outcome.faults.map(mistake), ...more], open: false };
}

/** Of what a ScaledJob starts or a ScaledObject scales, where the files have it. */
function podsAt(
  { pods, namespace, spec: { scaleTargetRef } }: ScaledResource,
  workloads: readonly Workload[],
): Pods {
  if (scaleTargetRef === undefined) return pods;
  const { kind = 'Deployment', name } = scaleTargetRef;
  const target = workloads.find(
    (one) => one.kind === kind && one.name === name && one.namespace === namespace,
  );
  return target?.pods ?? pods;
}

function neededSecrets({ secrets: needed }: Pods, namespace: string, given: readonly Secret[]): Need[] {
  const isThere = ({ name, key }: NeededSecret): boolean =>
    given.some(
      (one) =>
        one.name === name &&
        (one.namespace || namespace) === namespace &&
        (key === undefined || one.valueAt(key) !== undefined),
    );
  return needed
    .filter((one) => !isThere(one))
    .map(({ name, key }) => ({ kind: 'Secret', namespace, name, keys: key === undefined ? [] : [key] }));
}

/** Each object once, with all its keys. */
function merged(needs: readonly Need[]): readonly Need[] {
  const all = new Map<string, Need>();
  for (const { kind, namespace, name, keys } of needs) {
    const id = [kind, namespace, name].join('/');
    const known = all.get(id)?.keys ?? [];
    all.set(id, { kind, namespace, name, keys: [...new Set([...known, ...keys])] });
  }
  return [...all.values()];
}

/** What KEDA takes of an authentication to call an external scaler. */
const tlsParameters: readonly string[] = ['caCert', 'tlsClientCert', 'tlsClientKey'];

/** KEDA uses TLS with `enableTLS`, or if it has a certificate (external_scaler.go:418, v2.21). The port must agree. */
function* tlsFaults(
  { namespace }: ScaledResource,
  { index, entry }: OurTrigger,
  rules: Rules,
  authentications: readonly TriggerAuthentication[],
): Generator<Mistake> {
  const { tls } = rules;
  const { authenticationRef: ref, metadata } = entry;
  const enabled = isTrue(metadata['enableTLS']);
  if (tls === 'none' && enabled) {
    const message = 'enableTLS: the gRPC port of the scaler has no TLS: leave it out, or set grpc.tls';
    yield error(entry.lineOf('enableTLS'), message, index);
  }
  const line = entry.lineOf('authenticationRef');
  const placed = { ref, namespace: namespace || rules.namespace };
  const authentication = authenticationOf(placed, authentications);
  const parameters = authentication === undefined ? undefined : parametersOf(authentication);
  const otherKind = ref && authenticationKinds.find((kind) => kind !== ref.kind);
  const other =
    ref && otherKind && authenticationOf({ ...placed, ref: { ...ref, kind: otherKind } }, authentications);
  if (authentication === undefined && other) {
    const message = `authenticationRef: these files have no ${ref.kind} ${ref.name}, but a ${other.kind} of that name: write kind: ${other.kind}`;
    yield warning(line, message, index);
    return;
  }
  if (tls === undefined || tls === 'none') {
    if (ref === undefined) return;
    const certificate = ['caCert', 'tlsClientCert'].find((key) => parameters?.has(key));
    if (tls === 'none' && certificate !== undefined) {
      const message = `authenticationRef: by the ${certificate} of ${ref.kind} ${ref.name} KEDA calls with TLS, and the gRPC port of the scaler has none: leave it out, or set tls.enabled`;
      yield error(line, message, index);
      return;
    }
    const isForTls =
      tls === undefined && [...(parameters ?? [''])].every((key) => tlsParameters.includes(key));
    if (isForTls) return;
    const so = tls === 'none' ? ', which the gRPC port of the scaler has not' : '';
    const message = `authenticationRef: only its caCert, tlsClientCert and tlsClientKey are used, for TLS to the scaler${so}; credentials of the source belong to the connection`;
    yield warning(line, message, index);
    return;
  }
  // One that is not in these files may have all it needs.
  if (ref !== undefined && parameters === undefined) return;
  const has = (key: string): boolean => parameters?.has(key) === true;
  const lacks = (keys: string): string =>
    ref === undefined
      ? 'authenticationRef: is missing'
      : `authenticationRef: ${ref.kind} ${ref.name} lacks ${keys}`;
  const remedy = 'docs/operations.md has its lines: TLS between KEDA and the scaler';
  if (tls === 'mutual' && !(has('tlsClientCert') && has('tlsClientKey'))) {
    const why = 'the scaler takes only calls with a client certificate';
    yield error(line, `${lacks('tlsClientCert or tlsClientKey')}: ${why}; ${remedy}`, index);
  } else if (!enabled && !has('caCert') && !has('tlsClientCert')) {
    const why = 'the gRPC port of the scaler has TLS, and KEDA would call it without';
    yield error(line, `${lacks('caCert')}: ${why}; ${remedy}`, index);
  } else if (!has('caCert') && !isTrue(metadata['unsafeSsl'])) {
    const why = "KEDA would take the scaler's certificate only from a CA that it trusts already";
    yield warning(line, `${lacks('caCert')}: ${why}; ${remedy}`, index);
  }
}

/** `"lagTreshold": unknown key` → `lagTreshold`. */
function keyIn(message: string): string {
  return /^"?([\w.-]+)"?(?::| )/.exec(message)?.[1] ?? '';
}

/** Whether both are about the same key of the same trigger, and refuse it. */
function sameKey(a: Mistake, b: Mistake): boolean {
  return (
    b.severity === 'error' &&
    a.trigger === b.trigger &&
    a.line === b.line &&
    keyIn(a.message) === keyIn(b.message)
  );
}

function faultOf({ kind, namespace, name, file }: ScaledResource, mistake: Mistake): Fault {
  const { line, trigger, message, severity } = mistake;
  const owner = `${kind} ${namespace === '' ? '' : `${namespace}/`}${name || '(no name)'}`;
  return {
    file,
    line,
    where: trigger === undefined ? owner : `${owner}, triggers[${trigger}]`,
    message,
    severity,
  };
}
