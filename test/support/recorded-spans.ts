import {
  type Attributes,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  type SpanStatus,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';

export interface RecordedSpan {
  readonly scope: string;
  readonly name: string;
  readonly options: SpanOptions;
  readonly attributes: Attributes;
  status: SpanStatus;
  ended: number;
}

/**
 * The spans of this process. Importing this registers a provider, as an SDK does that Node loads first. Import it before
 * anything of the scaler, which checks only once.
 */
export const recordedSpans: RecordedSpan[] = [];

const provider: TracerProvider = { getTracer: (scope) => tracerOf(scope, recordedSpans) };
if (!trace.setGlobalTracerProvider(provider)) throw new Error('a provider is registered already');

function tracerOf(scope: string, spans: RecordedSpan[]): Tracer {
  return {
    startSpan: (name, options = {}) => {
      const attributes = { ...options.attributes };
      const recorded = { scope, name, options, attributes, status: { code: SpanStatusCode.UNSET }, ended: 0 };
      spans.push(recorded);
      return spanOf(recorded);
    },
    startActiveSpan: () => {
      throw new Error('no span of the scaler is active: answers come from memory');
    },
  };
}

function spanOf(recorded: RecordedSpan): Span {
  const span: Span = {
    spanContext: () => trace.getSpanContext(ROOT_CONTEXT) ?? { traceId: '', spanId: '', traceFlags: 1 },
    setAttribute: (key, value) => span.setAttributes({ [key]: value }),
    setAttributes: (attributes) => {
      Object.assign(recorded.attributes, attributes);
      return span;
    },
    setStatus: (status) => {
      recorded.status = status;
      return span;
    },
    end: () => {
      recorded.ended += 1;
    },
    isRecording: () => recorded.ended === 0,
    addEvent: unexpected,
    addLink: unexpected,
    addLinks: unexpected,
    updateName: unexpected,
    recordException: unexpected,
  };
  return span;
}

function unexpected(): never {
  throw new Error('spans of the scaler have attributes and a status, and nothing else');
}
