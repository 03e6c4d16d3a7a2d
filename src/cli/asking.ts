import { readFile } from 'node:fs/promises';
import type { Loaded } from '../config/load.ts';
import { attempt, ScalerError } from '../errors.ts';
import type { AnswerView, Rpc } from '../explain/view.ts';
import { type Ended, ScalerClient } from '../grpc/client.ts';
import { codeName, toStatus } from '../grpc/status.ts';
import { Drain } from '../scaling/drain.ts';
import { withHeadroom } from '../scaling/headroom.ts';
import { wire, wireTarget } from '../scaling/metric.ts';
import { sources } from '../sources/index.ts';
import type { Detail } from '../sources/source.ts';
import { Connections } from '../subjects/connections.ts';
import { silentLogger } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { drainPolicyOf } from '../triggers/common-params.ts';
import type { Reference } from '../triggers/reference.ts';
import { drainTarget, metricName, readReference } from '../triggers/resolve.ts';
import { Triggers } from '../triggers/triggers.ts';

/** What is known of one trigger. */
export interface Asked {
  readonly answers: readonly AnswerView[];
  readonly detail?: Detail | undefined;
  readonly active?: boolean | undefined;
  readonly value?: number | undefined;
  readonly target?: number | undefined;
  readonly notes: readonly string[];
  readonly unreachable: boolean;
}

export interface Asker {
  /** Never rejects for what a trigger or an upstream says. */
  ask(reference: Reference): Promise<Asked>;
  close(): Promise<void> | void;
}

function answer(rpc: Rpc, fields: Readonly<Record<string, string>>): AnswerView {
  return { rpc, kind: 'answer', fields };
}

function failed(rpc: Rpc, reason: unknown): AnswerView {
  const { code, details } = toStatus(reason);
  return { rpc, kind: 'error', code: codeName(code), message: details };
}

function specAnswers(name: string, perReplica: number): AnswerView[] {
  const { int, float } = wireTarget({ perReplica });
  const fields = { metricName: name, targetSizeFloat: String(float), targetSize: int };
  return [answer('GetMetricSpec', fields), answer('StreamMetricSpec', fields)];
}

function valueAnswer(name: string, value: number): AnswerView {
  const { int, float } = wire(value);
  return answer('GetMetrics', { metricName: name, metricValueFloat: String(float), metricValue: int });
}

function activity(active: boolean): AnswerView[] {
  const fields = { result: String(active) };
  return [answer('IsActive', fields), answer('StreamIsActive', fields)];
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
    try {
      const trigger = triggers.trigger(reference);
      const { metricName: name, target } = trigger.spec;
      const specs = specAnswers(name, target.perReplica);
      const common = { target: target.perReplica, notes };
      try {
        const got = await trigger.answer({ signal: new AbortController().signal });
        const { detail } = trigger.status(triggers.now());
        if (got.kind === 'uncounted') {
          const state = got.active ? 'is active' : 'is inactive';
          const error = new ScalerError('unavailable', `${state}, its number is not known yet: ${got.why}`);
          const answers = [...activity(got.active), ...specs, failed('GetMetrics', error)];
          return { ...common, answers, detail, active: got.active, unreachable: false };
        }
        const { value, active } = got;
        const answers = [...activity(active), ...specs, valueAnswer(name, value)];
        return { ...common, answers, detail, value, active, unreachable: false };
      } catch (reason) {
        const answers = [failed('IsActive', reason), ...specs, failed('GetMetrics', reason)];
        const silent = 'StreamIsActive says nothing while nothing is known.';
        const unreachable = ScalerError.from(reason).code === 'unavailable';
        return { ...common, answers, notes: [...notes, silent], unreachable };
      }
    } catch (reason) {
      const rpcs: Rpc[] = ['IsActive', 'StreamIsActive', 'GetMetricSpec', 'StreamMetricSpec', 'GetMetrics'];
      return { answers: rpcs.map((rpc) => failed(rpc, reason)), notes, unreachable: false };
    }
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
