import { type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

export type { Span } from '@opentelemetry/api';

/**
 * Spans of what the scaler does. This is OpenTelemetry's API alone: where the process was started without an
 * SDK, nothing is recorded and a span is an empty object (docs/tracing.md).
 */
const tracer = trace.getTracer('backlog-scaler');

const service = 'externalscaler.ExternalScaler';

/** Kubernetes' longest name; a caller can send a longer one. */
const maxNameLength = 253;

/** Starts a span for each call of a method. What all of them share is made once: GetMetrics is the hot path. */
export function rpcSpans(method: string): () => Span {
  const name = `${service}/${method}`;
  const attributes = { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': method };
  const options = { kind: SpanKind.SERVER, attributes };
  return () => tracer.startSpan(name, options);
}

/** Ends the span of an RPC. `failure` is what the caller is told; a caller that left (CANCELLED) is none. */
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
 * many callers and belongs to none, and timers would keep the context of whoever set them long ago.
 */
export function startRead(source: string, connection: string, subjects: number): Span {
  const attributes = {
    'backlog_scaler.source': source,
    'backlog_scaler.connection': connection,
    'backlog_scaler.subjects': subjects,
  };
  return tracer.startSpan(`read ${source}`, { kind: SpanKind.CLIENT, root: true, attributes });
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
  return tracer.startSpan(`ingest ${kind}`, { kind: SpanKind.SERVER, attributes });
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
  span.setStatus({ code: SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) });
}
