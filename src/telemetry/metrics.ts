import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const prefix = 'backlog_scaler_';

/** Seconds, from the sub-millisecond answers out of memory to a read that hangs. */
const durationBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Seconds, from a nudge that is answered to the clocks of HPA and KEDA. */
const growthBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30, 60];

/** What a connection counts about itself; labels that name it are bound already. */
export interface SourceMetrics {
  /** One request to the upstream, as the upstream sees it. */
  request(operation: string, outcome: 'ok' | 'error'): void;
  /** How many requests the upstream still allows in its present window. */
  rateLimitRemaining(requests: number): void;
  /** A reconcile found the ledger wrong by one item: it had missed one (`opened`) or kept one too long (`closed`). */
  corrected(direction: 'opened' | 'closed'): void;
}

interface Use {
  readonly source: string;
  readonly estimate: MonthlyEstimate;
  remaining: number | undefined;
}

/**
 * The product's own series. Per-trigger series are not here: `admin/trigger-series.ts` streams them, since
 * ten thousand triggers in one registry would hold the event loop at every scrape.
 */
export class Metrics {
  readonly registry = new Registry();

  readonly rpcRequests = this.counter('rpc_requests_total', 'RPCs answered.', ['method', 'code']);
  readonly rpcDuration = this.histogram('rpc_duration_seconds', 'Time to answer a unary RPC.', ['method']);
  readonly sourceRequests = this.counter('source_requests_total', 'Requests that the upstream gets.', [
    'source',
    'connection',
    'operation',
    'outcome',
  ]);
  readonly sourceRequestsPerMonth = this.gauge(
    'source_requests_per_month_estimate',
    'Requests of 30 days like the last hour.',
    ['source', 'connection'],
  );
  readonly sourceReads = this.counter('source_reads_total', 'Reads of a subject.', [
    'source',
    'connection',
    'outcome',
  ]);
  readonly sourceReadDuration = this.histogram('source_read_duration_seconds', 'Time of a read.', ['source']);
  readonly wakes = this.counter('wakes_total', 'Events that made the scaler read a subject.', [
    'source',
    'connection',
    'cause',
  ]);
  readonly edges = this.counter('edges_total', 'Triggers that became active.', ['source']);
  readonly nudges = this.counter('nudges_total', 'Changed targets that make the HPA look at once.', [
    'outcome',
  ]);
  readonly growthTold = this.histogram(
    'growth_told_seconds',
    'From an edge or growth until the HPA saw it.',
    ['by'],
    growthBuckets,
  );
  readonly ingestRequests = this.counter('ingest_requests_total', 'Requests to the ingest port.', [
    'kind',
    'outcome',
  ]);
  readonly sourceRateLimitRemaining = this.gauge(
    'source_rate_limit_remaining',
    'Requests that the source still allows in this hour.',
    ['source', 'connection'],
  );
  readonly leasesHeld = this.gauge(
    'leases_held',
    '1 in the pod that asks the upstream for all pods, else 0.',
    ['connection'],
  );
  readonly leasesGivenUp = this.counter(
    'leases_given_up_total',
    'Times that this pod let another ask the upstream, since its own requests all failed.',
    ['connection'],
  );
  readonly ledgerCorrections = this.counter(
    'ledger_corrections_total',
    'Items that a ledger missed (opened) or kept too long (closed).',
    ['source', 'connection', 'direction'],
  );
  readonly decisionsSent = this.counter('decisions_sent_total', 'Decisions posted to the sink.', ['outcome']);
  readonly decisionsDropped = this.counter(
    'decisions_dropped_total',
    'Decisions that waited too long for the sink or the log.',
    ['to'],
  );
  readonly eventLogConnected = this.gauge(
    'event_log_connected',
    'With eventLog.type nats: 1, or 0 while NATS is away.',
    [],
  );
  readonly eventLogBuffered = this.gauge(
    'event_log_buffered_events',
    'Events that wait in memory for NATS to take them.',
    [],
  );
  readonly eventLogForwarded = this.counter(
    'event_log_forwarded_total',
    'Events that NATS took from this pod.',
    [],
  );
  readonly eventLogDropped = this.counter('event_log_dropped_total', 'Events that got 202 and are lost.', [
    'reason',
  ]);
  readonly streams = this.gauge('streams', 'Open streams.', ['rpc']);
  readonly triggers = this.gauge('triggers', 'Accepted triggers.', ['source']);
  readonly refusedTriggers = this.gauge('refused_triggers', 'Triggers that are refused.', []);
  readonly historyBytes = this.gauge('history_bytes', 'Memory of histories, at most history.bytes.', []);
  readonly subjects = this.gauge('subjects', 'Subjects.', ['source']);
  readonly tlsCertificateExpiry = this.gauge(
    'tls_certificate_expiry_timestamp_seconds',
    'The end of the gRPC certificate.',
    [],
  );
  readonly configReloads = this.counter('config_reloads_total', 'Changes of the configuration.', ['outcome']);
  readonly buildInfo = this.gauge('build_info', 'Always 1; the labels say what is running.', [
    'version',
    'commit',
    'node',
  ]);

  private readonly collectors = new Set<() => void>();
  private readonly now: () => number;
  /** By connection. */
  private readonly estimates = new Map<string, Use>();

  /** `now` is a monotonic clock, in ms. */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.onCollect(() => this.estimateRequests());
  }

  /** Calls `count` before each exposition, to set what is counted only then. */
  onCollect(count: () => void): void {
    this.collectors.add(count);
  }

  async exposition(): Promise<string> {
    for (const count of this.collectors) count();
    return this.registry.metrics();
  }

  forConnection(source: string, connection: string): SourceMetrics {
    const { estimate } = this.estimateOf(source, connection);
    return {
      request: (operation, outcome) => {
        this.sourceRequests.inc({ source, connection, operation, outcome });
        estimate.count(this.now());
      },
      rateLimitRemaining: (requests) => {
        this.sourceRateLimitRemaining.set({ source, connection }, requests);
        const own = this.estimates.get(connection);
        if (own) own.remaining = requests;
      },
      corrected: (direction) => this.ledgerCorrections.inc({ source, connection, direction }),
    };
  }

  /** What a connection asks of its upstream, and what that still allows in its hour; undefined where it does not say. */
  useOf(connection: string): { requestsPerMinute: number; remaining: number | undefined } {
    const own = this.estimates.get(connection);
    return { requestsPerMinute: own?.estimate.perMinute(this.now()) ?? 0, remaining: own?.remaining };
  }

  /** The connection is gone, and with it what is only true of one that is there. */
  forgetConnection(connection: string): void {
    const source = this.estimates.get(connection)?.source;
    if (source !== undefined) this.sourceRateLimitRemaining.remove({ source, connection });
    this.estimates.delete(connection);
  }

  /** One that is opened again, with other settings, goes on with its estimate. */
  private estimateOf(source: string, connection: string): Use {
    const known = this.estimates.get(connection);
    if (known?.source === source) return known;
    if (known !== undefined) this.forgetConnection(connection);
    const made: Use = { source, estimate: new MonthlyEstimate(this.now()), remaining: undefined };
    this.estimates.set(connection, made);
    return made;
  }

  private estimateRequests(): void {
    this.sourceRequestsPerMonth.reset();
    for (const [connection, { source, estimate }] of this.estimates) {
      this.sourceRequestsPerMonth.set({ source, connection }, estimate.perMonth(this.now()));
    }
  }

  private counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name: prefix + name, help, labelNames, registers: [this.registry] });
  }

  private gauge<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name: prefix + name, help, labelNames, registers: [this.registry] });
  }

  private histogram<L extends string>(
    name: string,
    help: string,
    labelNames: L[],
    buckets = durationBuckets,
  ): Histogram<L> {
    return new Histogram({
      name: prefix + name,
      help,
      labelNames,
      buckets,
      registers: [this.registry],
    });
  }
}

/** Each lists every handle, request and timer of the process at every scrape: tens of thousands. */
const costly = ['active_resources', 'active_handles', 'active_requests'].flatMap((name) => [
  `nodejs_${name}`,
  `nodejs_${name}_total`,
]);

/**
 * Adds what prom-client knows of the process: CPU, memory, open files, garbage collections, the event loop. The names
 * are its own, without our prefix: dashboards for Node know them. Once for a process, since what observes it never ends.
 */
export function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of costly) registry.removeSingleMetric(name);
}

const minuteMs = 60_000;
const minutes = 60;
/** Of 30 days. */
const monthMs = 30 * 24 * 60 * minuteMs;

/** What a month would bring, if it went on like the last hour, or like the time since the start where that is less. */
export class MonthlyEstimate {
  private readonly startedAtMs: number;
  /** A ring: how often in each of the last minutes. */
  private readonly counts = new Array<number>(minutes).fill(0);
  private minute: number;

  constructor(nowMs: number) {
    this.startedAtMs = nowMs;
    this.minute = this.minuteOf(nowMs);
  }

  count(nowMs: number): void {
    this.moveTo(nowMs);
    const place = this.minute % minutes;
    this.counts[place] = (this.counts[place] ?? 0) + 1;
  }

  perMonth(nowMs: number): number {
    this.moveTo(nowMs);
    const sinceStartMs = nowMs - this.startedAtMs;
    // The minute that is not over counts for as long as it is.
    const hourMs = (minutes - 1) * minuteMs + (sinceStartMs % minuteMs);
    const seenMs = Math.max(Math.min(sinceStartMs, hourMs), minuteMs);
    const counted = this.counts.reduce((sum, count) => sum + count, 0);
    return Math.round((counted * monthMs) / seenMs);
  }

  /** Requests a minute, in the last five of them. */
  perMinute(nowMs: number): number {
    this.moveTo(nowMs);
    const seenMs = Math.min(nowMs - this.startedAtMs, 4 * minuteMs + ((nowMs - this.startedAtMs) % minuteMs));
    let counted = 0;
    for (let back = 0; back < Math.min(5, this.minute + 1); back += 1) {
      counted += this.counts[(this.minute - back) % minutes] ?? 0;
    }
    return (counted * minuteMs) / Math.max(seenMs, minuteMs / 6);
  }

  private minuteOf(nowMs: number): number {
    return Math.floor((nowMs - this.startedAtMs) / minuteMs);
  }

  /** Empties the minutes that nothing was counted in. */
  private moveTo(nowMs: number): void {
    const minute = this.minuteOf(nowMs);
    const skipped = Math.min(minute - this.minute, minutes);
    for (let i = 1; i <= skipped; i += 1) this.counts[(this.minute + i) % minutes] = 0;
    this.minute = Math.max(this.minute, minute);
  }
}
