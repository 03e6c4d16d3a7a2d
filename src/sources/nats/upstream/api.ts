import pLimit from 'p-limit';
import { z } from 'zod';
import type { SourceMetrics } from '../../../telemetry/metrics.ts';
import type { ConsumerFacts, StreamFacts } from '../rules/snapshot.ts';
import { JetStreamRefusal } from './errors.ts';
import type { Link } from './link.ts';

/*
 * Two requests of the JetStream API, and the used parts of their answers (ADR-31, and api/v1 of nats-server:
 * io.nats.jetstream.api.v1.stream_info_response, consumer_info_response).
 */

/** The server bounds the metadata of streams and consumers. No answer comes near this. */
const mostAnswerBytes = 1_048_576;

const count = z.number().int().nonnegative();
const leader = z.string().min(1).optional();
const refusal = z.object({
  error: z.object({
    code: z.number().optional(),
    err_code: z.number().default(0),
    description: z.string().default(''),
  }),
});

const streamAnswer = z
  .object({
    created: z.string(),
    config: z.object({
      name: z.string(),
      subjects: z.array(z.string()).nullish(),
      mirror: z.unknown().optional(),
      sources: z.array(z.unknown()).nullish(),
      subject_transform: z.unknown().optional(),
      allow_msg_schedules: z.boolean().nullish(),
      subject_delete_marker_ttl: z.number().nullish(),
    }),
    cluster: z
      .object({
        leader,
        replicas: z
          .array(z.object({ name: z.string(), offline: z.boolean().nullish(), lag: count.nullish() }))
          .nullish(),
      })
      .nullish(),
  })
  .transform(
    ({ created, config, cluster }): StreamFacts => ({
      name: config.name,
      created,
      subjects: config.subjects ?? [],
      silent: whySilent(config),
      leader: cluster?.leader,
      isLeaderless: cluster != null && cluster.leader === undefined,
      replicas: (cluster?.replicas ?? []).map(({ name, offline, lag }) => ({
        name,
        behind: offline ? Number.POSITIVE_INFINITY : (lag ?? 0),
      })),
    }),
  );

interface StreamConfig {
  readonly mirror?: unknown;
  readonly sources?: readonly unknown[] | null | undefined;
  readonly subject_transform?: unknown;
  readonly allow_msg_schedules?: boolean | null | undefined;
  readonly subject_delete_marker_ttl?: number | null | undefined;
}

function whySilent(config: StreamConfig): string | undefined {
  if (config.mirror) return 'it mirrors another stream';
  if (config.sources?.length) return 'it has other streams as sources';
  if (config.subject_transform) return 'it transforms subjects';
  if (config.allow_msg_schedules) return 'it publishes scheduled messages itself';
  if (config.subject_delete_marker_ttl) return 'it adds delete markers itself';
  return undefined;
}

const consumerAnswer = z
  .object({
    name: z.string(),
    created: z.string(),
    config: z.object({
      filter_subject: z.string().nullish(),
      filter_subjects: z.array(z.string()).nullish(),
      ack_policy: z.string(),
      max_ack_pending: z.number().nullish(),
    }),
    delivered: z.object({ consumer_seq: count }),
    num_pending: count,
    num_ack_pending: count,
    num_redelivered: count,
    paused: z.boolean().nullish(),
    cluster: z.object({ leader }).nullish(),
  })
  .transform(
    ({ config, ...info }): ConsumerFacts => ({
      name: info.name,
      created: info.created,
      filters: [...(config.filter_subject ? [config.filter_subject] : []), ...(config.filter_subjects ?? [])],
      pending: info.num_pending,
      ackPending: info.num_ack_pending,
      redelivered: info.num_redelivered,
      deliveries: info.delivered.consumer_seq,
      maxAckPending: limitOf(config),
      paused: info.paused ?? false,
      leader: info.cluster?.leader,
    }),
  );

function limitOf({
  ack_policy,
  max_ack_pending,
}: {
  ack_policy: string;
  max_ack_pending?: number | null | undefined;
}) {
  if (ack_policy === 'none' || !max_ack_pending || max_ack_pending < 0) return undefined;
  return max_ack_pending;
}

interface ApiSettings {
  readonly domain?: string;
  readonly requestTimeoutMs: number;
  readonly maxRequests: number;
}

/** Rejects with JetStreamRefusal, with ScalerError of the link, or with errors of the client. */
export class JetStreamApi {
  private readonly link: Link;
  private readonly metrics: SourceMetrics;
  private readonly prefix: string;
  private readonly timeoutMs: number;
  private readonly slot: ReturnType<typeof pLimit>;

  constructor(link: Link, { domain, requestTimeoutMs, maxRequests }: ApiSettings, metrics: SourceMetrics) {
    this.link = link;
    this.metrics = metrics;
    this.prefix = domain === undefined ? '$JS.API' : `$JS.${domain}.API`;
    this.timeoutMs = requestTimeoutMs;
    this.slot = pLimit(maxRequests);
  }

  streamInfo(stream: string): Promise<StreamFacts> {
    return this.slot(() => this.ask('STREAM.INFO', stream, streamAnswer));
  }

  consumerInfo(stream: string, consumer: string): Promise<ConsumerFacts> {
    return this.slot(() => this.ask('CONSUMER.INFO', `${stream}.${consumer}`, consumerAnswer));
  }

  private async ask<T>(operation: string, of: string, answer: z.ZodType<T>): Promise<T> {
    const nats = await this.link.get();
    try {
      const subject = `${this.prefix}.${operation}.${of}`;
      const { data } = await nats.request(subject, undefined, { timeout: this.timeoutMs });
      const facts = read(data, answer);
      this.metrics.request(operation, 'ok');
      return facts;
    } catch (reason) {
      this.metrics.request(operation, 'error');
      throw reason;
    }
  }
}

function read<T>(data: Uint8Array, answer: z.ZodType<T>): T {
  if (data.length > mostAnswerBytes) throw unusable(`it has ${data.length} bytes`);
  let said: unknown;
  try {
    said = JSON.parse(new TextDecoder().decode(data));
  } catch {
    throw unusable('it is not JSON');
  }
  const refused = refusal.safeParse(said);
  if (refused.success) {
    const { err_code, code, description } = refused.data.error;
    throw new JetStreamRefusal(err_code || (code ?? 0), description);
  }
  const facts = answer.safeParse(said);
  if (facts.success) return facts.data;
  throw unusable(`${facts.error.issues[0]?.path.join('.') ?? 'it'} is not as expected`);
}

function unusable(why: string): Error {
  return new Error(`an answer of JetStream is not what it should be: ${why}`);
}
