import type { Attributes, SpanOptions, SpanStatus } from '@opentelemetry/api';

/** What is used of OpenTelemetry's span. */
export interface Span {
  isRecording(): boolean;
  setAttribute(name: string, value: string | number): unknown;
  setAttributes(attributes: Attributes): unknown;
  setStatus(status: SpanStatus): unknown;
  end(): void;
}

/**
 * Spans of what the scaler does. Only OpenTelemetry's API is used. Without an SDK nothing is recorded
 * (docs/tracing.md), and the API is not loaded: its hundred files are a twentieth of a start.
 * An SDK registers itself under this symbol (`@opentelemetry/api` 1.x, internal/global-utils.ts) before our first line.
 */
const api =
  Symbol.for('opentelemetry.js.api.1') in globalThis ? await import('@opentelemetry/api') : undefined;
const tracer = api?.trace.getTracer('backlog-scaler');

const unrecorded: Span = {
  isRecording: () => false,
  setAttribute: () => {},
  setAttributes: () => {},
  setStatus: () => {},
  end: () => {},
};

function startSpan(name: string, kind: 'SERVER' | 'CLIENT', options: SpanOptions): Span {
  if (api === undefined || tracer === undefined) return unrecorded;
  return tracer.startSpan(name, { kind: api.SpanKind[kind], ...options });
}

const service = 'externalscaler.ExternalScaler';

/** Kubernetes' longest name; a caller can send a longer one. */
const maxNameLength = 253;

/** Starts a span for each call of a method. What all of them share is made once: GetMetrics is the hot path. */
export function rpcSpans(method: string): () => Span {
  const name = `${service}/${method}`;
  const attributes = { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': method };
  return () => startSpan(name, 'SERVER', { attributes });
}

/** Ends the span of an RPC. `failure` is the status of the call, except CANCELLED: the caller left. */
export function endRpc(span: Span, status: { number: number; name: string }, failure?: string): void {
  if (span.isRecording()) {
    span.setAttribute('rpc.grpc.status_code', status.number);
    if (status.name !== 'OK' && status.name !== 'CANCELLED') fail(span, status.name, failure);
  }
  span.end();
}

/** Which ScaledObject an RPC asks for. */
export function nameScaledObject(span: Span, { namespace, name }: { namespace: string; name: string }): void {
  if (!span.isRecording()) return;
  span.setAttributes({
    'backlog_scaler.scaledobject.namespace': namespace.slice(0, maxNameLength),
    'backlog_scaler.scaledobject.name': name.slice(0, maxNameLength),
  });
}

/**
 * Starts the span of one read: a number of subjects, in one call of the source. It has no parent: it answers
 * many callers, and timers would keep the context of an old caller.
 */
export function startRead(source: string, connection: string, subjects: number): Span {
  const attributes = {
    'backlog_scaler.source': source,
    'backlog_scaler.connection': connection,
    'backlog_scaler.subjects': subjects,
  };
  return startSpan(`read ${source}`, 'CLIENT', { root: true, attributes });
}

/** Ends the span of a read. `first` is the first of the subjects' errors. */
export function endRead(span: Span, failed: number, first?: { code: string; message: string }): void {
  if (span.isRecording()) {
    span.setAttribute('backlog_scaler.outcome', first === undefined ? 'ok' : 'error');
    span.setAttribute('backlog_scaler.subjects_failed', failed);
    if (first !== undefined) fail(span, first.code, first.message);
  }
  span.end();
}

export function startIngest(kind: string): Span {
  const attributes = { 'backlog_scaler.kind': kind };
  return startSpan(`ingest ${kind}`, 'SERVER', { attributes });
}

/** Ends the span of a request. A sender that is refused is no failure of the scaler; `unavailable` is. */
export function endIngest(span: Span, outcome: string): void {
  if (span.isRecording()) {
    span.setAttribute('backlog_scaler.outcome', outcome);
    if (outcome === 'unavailable') fail(span, outcome);
  }
  span.end();
}

/** Not recordException: that would send the stack along. */
function fail(span: Span, code: string, message?: string): void {
  span.setAttribute('error.type', code);
  if (api === undefined) return;
  span.setStatus({ code: api.SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) });
}
