import type { CloudEventV1 } from 'cloudevents';
import { type Answer, send, Unanswered } from '../outbound/send.ts';
import { retryAfterMs } from '../retry.ts';
import type { Decision, DecisionKind, SurgeCourse } from '../triggers/decision.ts';

export type { Decision } from '../triggers/decision.ts';

/** A decision as it is logged and posted: plain JSON, without secrets and metadata values. */
export interface DecisionData {
  readonly decision: DecisionKind;
  readonly namespace: string;
  /** The ScaledObject's or ScaledJob's. */
  readonly name: string;
  /** The trigger's identity; unique, and equal in every pod. */
  readonly trigger: string;
  readonly source: string;
  readonly connection: string;
  readonly metric: string;
  readonly cause: string;
  readonly value?: number;
  readonly target: number;
  readonly activation: number;
  readonly ageMs?: number;
  readonly lastedMs?: number;
  /** Of `surged`: replicas before and after, and how long and how many nudges it took. */
  readonly surge?: SurgeCourse;
  readonly error?: string;
}

export function dataOf(decision: Decision): DecisionData {
  const { kind, trigger, cause, value, ageMs, lastedMs, surge, error } = decision;
  return {
    decision: kind,
    namespace: trigger.reference.namespace,
    name: trigger.reference.name,
    trigger: trigger.id,
    source: trigger.source.kind,
    connection: trigger.connection.name,
    metric: trigger.metricName,
    cause,
    ...(value !== undefined && { value }),
    target: trigger.target.perReplica,
    activation: trigger.target.activation,
    ...(ageMs !== undefined && { ageMs: Math.round(ageMs) }),
    ...(lastedMs !== undefined && { lastedMs: Math.round(lastedMs) }),
    ...(surge !== undefined && { surge: { ...surge, ms: Math.round(surge.ms) } }),
    ...(error !== undefined && { error }),
  };
}

/**
 * A decision as a CloudEvent 1.0. Made by hand, and held against the SDK in tests: the SDK would check each
 * against a schema that the types here keep already.
 */
export function eventOf(
  decision: Decision,
  { id, source }: { id: string; source: string },
): CloudEventV1<DecisionData> {
  const { namespace, name } = decision.trigger.reference;
  return {
    specversion: '1.0',
    id,
    source,
    type: `dev.backlog-scaler.trigger.${decision.kind}`,
    subject: `${namespace}/${name}`,
    time: new Date(decision.atMs).toISOString(),
    datacontenttype: 'application/json',
    data: dataOf(decision),
  };
}

export interface PostOptions {
  readonly url: string;
  readonly token: string | undefined;
  readonly timeoutMs: number;
}

export type Outcome =
  | { readonly kind: 'accepted' }
  /** The sink does not take these, however often they are sent. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Worth another try. */
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs?: number | undefined };

/** These say something of what was sent; every other one of the place, or of us. */
const refusals: readonly number[] = [400, 413, 415, 422];
/** What a sink may say beside its status before its connection is given up. */
const maxAnswerBytes = 65_536;
/** A sink that asks for more is asked again after this time all the same. */
const mostRetryAfterMs = 300_000;

/** Posts one batch (CloudEvents JSON format §4, HTTP binding §3.3). Never rejects, and says no secret. */
export async function post(options: PostOptions, body: string, signal: AbortSignal): Promise<Outcome> {
  const { url, token, timeoutMs } = options;
  const headers = {
    'content-type': 'application/cloudevents-batch+json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  try {
    const limits = { timeoutMs, maxBytes: maxAnswerBytes, signal, statusOnly: true };
    return outcomeOf(await send(url, { method: 'POST', headers, body, ...limits }));
  } catch (reason) {
    return { kind: 'failed', reason: reason instanceof Unanswered ? reason.message : 'cannot be reached' };
  }
}

function outcomeOf({ status, headers }: Answer): Outcome {
  if (status >= 200 && status < 300) return { kind: 'accepted' };
  if (refusals.includes(status)) return { kind: 'refused', reason: `answers ${status}` };
  const reason = `answers ${status}${advice(status)}`;
  const askedMs = retryAfterMs(headers.get('retry-after'), Date.now());
  return {
    kind: 'failed',
    reason,
    retryAfterMs: askedMs === undefined ? undefined : Math.min(askedMs, mostRetryAfterMs),
  };
}

function advice(status: number): string {
  if (status === 401 || status === 403) return ': check decisions.token';
  if (status === 404 || status === 405) return ': check the path of decisions.sink';
  if (status >= 300 && status < 400)
    return ': redirects are not followed, set decisions.sink to where it leads';
  return '';
}
