import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMapping } from '../config/document.ts';
import type { Loaded } from '../config/load.ts';
import { attempt, ScalerError } from '../errors.ts';
import {
  type Answered,
  activityAnswers,
  answered,
  answersOf,
  type Fields,
  refusedAnswers,
  specAnswers,
} from '../explain/answers.ts';
import type { AnswerView, Rpc } from '../explain/view.ts';
import { type Ended, ScalerClient } from '../grpc/client.ts';
import { toMetrics } from '../grpc/service.ts';
import type { Rules } from '../scaledobjects/validate.ts';
import { Drain, settleMs } from '../scaling/drain.ts';
import { withHeadroom } from '../scaling/metric.ts';
import { sources } from '../sources/index.ts';
import type { AnySource, Detail } from '../sources/source.ts';
import type { Working } from '../sources/working.ts';
import { Connections } from '../subjects/connections.ts';
import { silentLogger } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { drainPolicyOf } from '../triggers/common-params.ts';
import { ownerOf, type Reference } from '../triggers/reference.ts';
import { metricName, outcomeOf, perReplicaOf, readReference } from '../triggers/resolve.ts';
import { allows } from '../triggers/select-connection.ts';
import type { Trigger } from '../triggers/trigger.ts';
import { Triggers } from '../triggers/triggers.ts';
import type { RunningTrigger, RunningTriggers } from './running-triggers.ts';

/** What is known of one trigger. */
export interface Asked extends Answered {
  readonly detail?: Detail | undefined;
  readonly working?: Working | undefined;
  /** Why nothing can be asked. */
  readonly faults?: readonly string[];
  readonly notes: readonly string[];
}

export interface Asker {
  /** Never rejects for what a trigger or an upstream says. */
  ask(reference: Reference): Promise<Asked>;
  close(): Promise<void> | void;
}

const nothing: Asked = { answers: [], notes: [], unreachable: false };

/** By the YAML, and the connections where they are known: what the answers would be if so many items waited. */
export function byBacklog(backlog: number | undefined, { world, connections }: Rules): Asker {
  const ask = (reference: Reference): Asked => {
    const said = readReference(reference, { sources, refuseSecretsFromEnv: false }, { asWritten: true });
    const { source } = said;
    if (!source || said.faults.length > 0) return nothing;
    const outcome = world && outcomeOf(reference, world, said);
    // Otherwise what the trigger says of its connection stands for that: the owner is a part of a metric's name.
    const config =
      outcome?.kind === 'measured'
        ? outcome.measured.connection.config
        : {
            ...onlyFitting(connections, {
              source,
              namespace: reference.namespace,
              name: said.common.connection,
            }),
            ...Object.fromEntries([...said.given].map(([name, { value }]) => [name, value])),
          };
    const target = attempt(() => source.target(said.params, config));
    if (target instanceof ScalerError) {
      const isConfigured = world !== undefined || connections !== undefined;
      const remedy = isConfigured
        ? 'and the configuration does not say which one that is.'
        : 'which --config FILE gives.';
      return { ...nothing, notes: [`The answers depend on the connection, ${remedy}`] };
    }
    const { activation, nameParts } = target;
    const drain = drainPolicyOf(said.common);
    const perReplica = perReplicaOf(target, drain);
    const name = metricName(source.kind, nameParts);
    const specs = specAnswers(() => ({ metricName: name, target: { perReplica } }));
    if (backlog === undefined) {
      const notes = [
        'Nothing was read. --backlog N says what would happen at N items, --config what is there.',
      ];
      return { ...nothing, answers: specs, target: perReplica, notes };
    }
    const { headroomReplicas: replicas, headroomWhenIdle: whenIdle } = said.common;
    const asked = drain ? new Drain(drain).take({ atMs: 0, items: backlog }).desired : backlog;
    const metric = { value: asked, active: backlog > activation };
    const { value, active } = withHeadroom(metric, { replicas, whenIdle }, perReplica);
    const number = () =>
      toMetrics({ label: ownerOf(reference) }, name, { kind: 'known', value }).metricValues[0];
    const answers = [...activityAnswers(() => active), ...specs, answered('GetMetrics', number)];
    const working = drain
      ? `, and none coming: ${backlog} / ${drain.drainSeconds} s / ${drain.replicaRate} a second, rounded up`
      : '';
    const notes = [`As it would be with ${backlog} items${working}; nothing was read.`];
    return { ...nothing, answers, value, active, target: perReplica, notes };
  };
  return { ask: async (reference) => ask(reference), close: () => {} };
}

/** The settings of a connection whose secrets are not here, where only one fits. */
function onlyFitting(
  connections: Rules['connections'],
  { source, namespace, name }: { source: AnySource; namespace: string; name: string },
): object {
  const [only, second] = [...(connections?.values() ?? [])].filter(
    (one) => one.source === source && allows(one, namespace) && (name === '' || one.name === name),
  );
  return second === undefined && isMapping(only?.config) ? only.config : {};
}

const onlyTold =
  'Read by this command: what webhooks and CloudEvents have told a running scaler is not here; --address asks that.';

function isToldByEvents({ measured }: Trigger): boolean {
  return measured?.source.webhooks !== undefined || measured?.source.cloudEvents !== undefined;
}

const syncLimitMs = 60_000;

/** Reads the sources itself, as a scaler with this configuration does, without listening anywhere. */
export async function bySources(
  { config, start }: Loaded,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Asker> {
  const [log, metrics] = [silentLogger, new Metrics()];
  const connections = new Connections({ log, metrics });
  const plaintext = start.grpc.tls === undefined;
  const triggers = new Triggers({ sources, connections, log, metrics, plaintext });
  for (const part of [connections, triggers]) part.prepare(config).commit();
  const untilMs = performance.now() + syncLimitMs;
  let before = '';
  for (
    let names = connections.syncing();
    names.length > 0 && !signal.aborted;
    names = connections.syncing()
  ) {
    if (performance.now() > untilMs) {
      say(`Not filled within ${syncLimitMs / 1000} s: ${names.join(', ')}. What follows may be unknown.`);
      break;
    }
    if (before !== names.join(', ')) say(`First sync of ${names.join(', ')} …`);
    before = names.join(', ');
    await sleep(100);
  }
  /** Resolves when `policy: drain` has seen what comes for long enough to give a number. */
  const settled = async (trigger: Trigger): Promise<void> => {
    const settling = (): boolean => trigger.status(triggers.now()).drain?.settled === false;
    if (!settling()) return;
    say(`${trigger.label}: policy: drain sees for ${settleMs / 1000} s what comes …`);
    const untilMs = performance.now() + 2 * settleMs;
    while (settling() && performance.now() < untilMs && !signal.aborted) await sleep(250);
  };
  const ask = async (reference: Reference): Promise<Asked> => {
    const trigger = attempt(() => triggers.trigger(reference));
    if (trigger instanceof ScalerError) return { ...refusedAnswers(trigger), notes: [] };
    await trigger.answer({ signal }).catch(() => {});
    await settled(trigger);
    const nowMs = triggers.now();
    return {
      ...(await answersOf(trigger, signal)),
      detail: trigger.status(nowMs).detail,
      working: trigger.working(nowMs),
      notes: isToldByEvents(trigger) ? [onlyTold] : [],
    };
  };
  const close = async (): Promise<void> => {
    triggers.close();
    await connections.close();
  };
  return { ask, close };
}

export interface TlsPaths {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** KEDA has no deadline; a scaler answers from memory, or waits once for its first reading. */
const askTimeoutMs = 10_000;
/** What a stream has to say it says at once; it is asked when the unary calls have waited for the first reading. */
const streamTimeoutMs = 1_000;

/** Asks a running scaler. Rejects where a file of `tls` cannot be read or used. */
export async function byScaler(address: string, { ca, cert, key }: TlsPaths): Promise<Asker> {
  const read = async (path: string | undefined): Promise<Buffer | null> =>
    path === undefined ? null : readFile(path);
  const tls = { ca: await read(ca), cert: await read(cert), key: await read(key) };
  const client = new ScalerClient(address, tls, askTimeoutMs);
  const ask = async ({ namespace, name, metadata: scalerMetadata }: Reference): Promise<Asked> => {
    const reference = { namespace, name, scalerMetadata };
    const spec = await client.getMetricSpec(reference);
    if (spec.kind === 'error' && !spec.reached) {
      return { ...nothing, faults: [notThere(address, spec.message)], unreachable: true };
    }
    const told = spec.kind === 'answer' ? spec.response.metricSpecs[0] : undefined;
    // One right after the other, as KEDA asks: a scaler that gets only one of them takes it that KEDA asks other pods, too.
    const values = await client.getMetrics(reference, told?.metricName ?? '');
    const isActive = await client.isActive(reference);
    const [streamed, streamedSpec] = await Promise.all([
      client.streamIsActive(reference, streamTimeoutMs),
      client.streamMetricSpec(reference),
    ]);
    const value = values.kind === 'answer' ? values.response.metricValues[0] : undefined;
    const isStranger = isActive.kind === 'error' && isActive.code === 'UNIMPLEMENTED';
    return {
      answers: [
        shown('IsActive', isActive, (response) => ({ ...response })),
        streamed.kind === 'error' && streamed.code === 'DEADLINE_EXCEEDED'
          ? { rpc: 'StreamIsActive', kind: 'silent' }
          : shown('StreamIsActive', streamed, (response) => ({ ...response })),
        shown('GetMetricSpec', spec, ({ metricSpecs }) => metricSpecs[0]),
        shown('StreamMetricSpec', streamedSpec, ({ metricSpecs }) => metricSpecs[0]),
        shown('GetMetrics', values, ({ metricValues }) => metricValues[0]),
      ],
      active: isActive.kind === 'answer' ? isActive.response.result : undefined,
      // As KEDA takes them: the float where it is above 0, else the int.
      value: value && (value.metricValueFloat || Number(value.metricValue)),
      target: told && (told.targetSizeFloat || Number(told.targetSize)),
      faults: isStranger
        ? [`What answers at ${address} is no external scaler: grpc.port is 6000 by default.`]
        : [],
      notes: [],
      unreachable: [isActive, values].some(
        (one) => one.kind === 'error' && ['UNAVAILABLE', 'DEADLINE_EXCEEDED'].includes(one.code),
      ),
    };
  };
  return { ask, close: () => client.close() };
}

function notThere(address: string, why: string): string {
  return `No scaler answers at ${address} (${why}). Is it running there? From outside of the cluster: kubectl port-forward -n NAMESPACE service/backlog-scaler 6000, then --address 127.0.0.1:6000. Where it has TLS: --ca-file, and for mTLS --cert-file and --key-file.`;
}

function shown<R>(rpc: Rpc, ended: Ended<R>, fields: (response: R) => Fields | undefined): AnswerView {
  if (ended.kind === 'answer') return answered(rpc, () => fields(ended.response));
  const { code, message } = ended;
  return { rpc, kind: 'error', code, message };
}

/** The view of a trigger with values that only KEDA knows. `keys` are their names. */
export function notAsked(keys: readonly string[], running: RunningTriggers | undefined): Asked {
  const what = `${keys.join(', ')}: only KEDA reads the variables of the workload`;
  const note = running
    ? `${what}: the numbers are those of the trigger that KEDA has asked the running scaler for.`
    : `${what}, so that the trigger cannot be asked for. --admin shows what a running scaler makes of it.`;
  return { ...nothing, notes: [note] };
}

/** The same, with what the admin port of a running scaler knows of the trigger. `source`: its kind, if known. */
export async function withRunning(
  asked: Asked,
  running: RunningTriggers,
  { namespace, name }: Reference,
  source: string | undefined,
): Promise<Asked> {
  let all: readonly RunningTrigger[];
  try {
    all = await running.of(namespace, name);
  } catch (reason) {
    const { message } = ScalerError.from(reason);
    return { ...asked, faults: [...(asked.faults ?? []), message], unreachable: true };
  }
  const metric = asked.answers.find(({ rpc }) => rpc === 'GetMetricSpec');
  const wanted = metric?.kind === 'answer' ? metric.fields['metricName'] : undefined;
  const fit = all.filter(
    (one) =>
      (source === undefined || one.source === source) && (wanted === undefined || one.metricName === wanted),
  );
  const [only] = fit;
  if (only === undefined || fit.length > 1) {
    const count = fit.length === 0 ? 'no trigger' : `${fit.length} triggers`;
    const note = `The running scaler has ${count} that it could be: KEDA has to have asked it for the trigger, and two of one source cannot be told apart.`;
    return { ...asked, notes: [...asked.notes, note] };
  }
  const { namespace: _, name: __, detail, ...told } = only;
  const answersOfItsOwn = asked.value !== undefined || asked.active !== undefined;
  return {
    ...asked,
    detail: { ...withoutAbsent(told), ...detail },
    ...(!answersOfItsOwn && { active: only.active, value: only.value, target: only.target }),
    notes: asked.notes,
  };
}

function withoutAbsent(fields: Readonly<Record<string, Detail[string] | undefined>>): Detail {
  const there = Object.entries(fields).filter(
    (entry): entry is [string, Detail[string]] => entry[1] !== undefined,
  );
  return Object.fromEntries(there);
}
