import { readFile } from 'node:fs/promises';
import type { Loaded } from '../config/load.ts';
import { attempt, ScalerError } from '../errors.ts';
import { type Answered, activity, answer, answersOf, specAnswers, valueAnswer } from '../explain/answers.ts';
import type { AnswerView, Rpc } from '../explain/view.ts';
import { type Ended, ScalerClient } from '../grpc/client.ts';
import { asStatus } from '../grpc/status.ts';
import { Drain } from '../scaling/drain.ts';
import { withHeadroom } from '../scaling/headroom.ts';
import { sources } from '../sources/index.ts';
import type { Detail } from '../sources/source.ts';
import { Connections } from '../subjects/connections.ts';
import { silentLogger } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { drainPolicyOf } from '../triggers/common-params.ts';
import type { Reference } from '../triggers/reference.ts';
import { drainTarget, metricName, readReference } from '../triggers/resolve.ts';
import type { Trigger } from '../triggers/trigger.ts';
import { Triggers } from '../triggers/triggers.ts';

/** What is known of one trigger. */
export interface Asked extends Answered {
  readonly detail?: Detail | undefined;
}

export interface Asker {
  /** Never rejects for what a trigger or an upstream says. */
  ask(reference: Reference): Promise<Asked>;
  close(): Promise<void> | void;
}

/** By the YAML alone: what the answers would be if so many items waited. */
export function byBacklog(backlog: number | undefined): Asker {
  const ask = (reference: Reference): Asked => {
    const said = readReference(reference, { sources, refuseSecretsFromEnv: false }, { asWritten: true });
    const nothing = { answers: [], notes: [], unreachable: false };
    const { source } = said;
    if (!source || said.faults.length > 0) return nothing;
    if ([...said.given.values()].some((one) => one.unseen)) {
      return {
        ...nothing,
        notes: ['Values of FromEnv keys are not known here: nothing is said of answers.'],
      };
    }
    // What the trigger says of its connection stands for that: the owner is a part of a metric's name.
    const config = Object.fromEntries([...said.given].map(([name, { value }]) => [name, value]));
    const target = attempt(() => source.target(said.params, config));
    if (target instanceof ScalerError) {
      return { ...nothing, notes: ['The answers depend on the connection, which only --config knows.'] };
    }
    const { activation, nameParts } = target;
    const drain = drainPolicyOf(said.common);
    const perReplica = drain ? drainTarget : target.perReplica;
    const name = metricName(source.kind, nameParts);
    if (backlog === undefined) {
      const notes = [
        'Nothing was read. --backlog N says what would happen at N items, --config what is there.',
      ];
      return { ...nothing, answers: specAnswers(name, perReplica), target: perReplica, notes };
    }
    const { headroomReplicas: replicas, headroomWhenIdle: whenIdle } = said.common;
    const asked = drain ? new Drain(drain).take({ atMs: 0, items: backlog }).desired : backlog;
    const metric = { value: asked, active: backlog > activation };
    const { value, active } = withHeadroom(metric, { replicas, whenIdle }, perReplica);
    const answers = [...activity(active), ...specAnswers(name, perReplica), valueAnswer(name, value)];
    const still = drain ? ', and none coming' : '';
    const notes = [`As it would be with ${backlog} items${still}; nothing was read.`];
    return { answers, value, active, target: perReplica, notes, unreachable: false };
  };
  return { ask: async (reference) => ask(reference), close: () => {} };
}

const syncLimitMs = 60_000;

/** Reads the sources itself, as a scaler with this configuration does, without listening anywhere. */
export async function bySources({ config, start }: Loaded, say: (line: string) => void): Promise<Asker> {
  const [log, metrics] = [silentLogger, new Metrics()];
  const connections = new Connections({ log, metrics });
  const plaintext = start.grpc.tls === undefined;
  const triggers = new Triggers({ sources, connections, log, metrics, plaintext });
  for (const part of [connections, triggers]) part.prepare(config).commit();
  const untilMs = performance.now() + syncLimitMs;
  let before = '';
  for (let names = connections.syncing(); names.length > 0; names = connections.syncing()) {
    if (performance.now() > untilMs) {
      say(`Not filled within ${syncLimitMs / 1000} s: ${names.join(', ')}. What follows may be unknown.`);
      break;
    }
    if (before !== names.join(', ')) say(`First sync of ${names.join(', ')} …`);
    before = names.join(', ');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const ask = async (reference: Reference): Promise<Asked> => {
    const notes = [
      'Read by this command: what webhooks and CloudEvents have told a running scaler is not here.',
    ];
    const find = (): Trigger => triggers.trigger(reference);
    const answered = await answersOf(find, asStatus, new AbortController().signal);
    const trigger = attempt(find);
    const detail = trigger instanceof ScalerError ? undefined : trigger.status(triggers.now()).detail;
    return { ...answered, notes: [...notes, ...answered.notes], detail };
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

/** Asks a running scaler. Rejects where a file of `tls` cannot be read or used. */
export async function byScaler(address: string, { ca, cert, key }: TlsPaths): Promise<Asker> {
  const read = async (path: string | undefined): Promise<Buffer | null> =>
    path === undefined ? null : readFile(path);
  const tls = { ca: await read(ca), cert: await read(cert), key: await read(key) };
  const client = new ScalerClient(address, tls, askTimeoutMs);
  const ask = async ({ namespace, name, metadata: scalerMetadata }: Reference): Promise<Asked> => {
    const reference = { namespace, name, scalerMetadata };
    const [active, streamed, spec, streamedSpec] = await Promise.all([
      client.isActive(reference),
      client.streamIsActive(reference),
      client.getMetricSpec(reference),
      client.streamMetricSpec(reference),
    ]);
    const told = spec.kind === 'answer' ? spec.response.metricSpecs[0] : undefined;
    const values = await client.getMetrics(reference, told?.metricName ?? '');
    const value = values.kind === 'answer' ? values.response.metricValues[0] : undefined;
    const flag = ({ result }: { result: boolean }): Record<string, string> => ({ result: String(result) });
    const first = (list: readonly object[]): Record<string, string> =>
      Object.fromEntries(Object.entries(list[0] ?? {}).map(([key, value]) => [key, String(value)]));
    return {
      answers: [
        shown('IsActive', active, flag),
        shown('StreamIsActive', streamed, flag),
        shown('GetMetricSpec', spec, ({ metricSpecs }) => first(metricSpecs)),
        shown('StreamMetricSpec', streamedSpec, ({ metricSpecs }) => first(metricSpecs)),
        shown('GetMetrics', values, ({ metricValues }) => first(metricValues)),
      ],
      active: active.kind === 'answer' ? active.response.result : undefined,
      // As KEDA takes them: the float where it is above 0, else the int.
      value: value && (value.metricValueFloat || Number(value.metricValue)),
      target: told && (told.targetSizeFloat || Number(told.targetSize)),
      notes: ["The source's own numbers are on the scaler's admin port, /api/triggers."],
      unreachable: [active, values].some(
        (one) => one.kind === 'error' && ['UNAVAILABLE', 'DEADLINE_EXCEEDED'].includes(one.code),
      ),
    };
  };
  return { ask, close: () => client.close() };
}

function shown<R>(rpc: Rpc, ended: Ended<R>, fields: (response: R) => Record<string, string>): AnswerView {
  return ended.kind === 'answer' ? answer(rpc, fields(ended.response)) : { rpc, ...ended };
}
