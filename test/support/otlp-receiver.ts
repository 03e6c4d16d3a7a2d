import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

/** The part of OTLP/JSON's ExportTraceServiceRequest that the tests use (opentelemetry-proto, trace/v1). */
const traces = z.object({
  resourceSpans: z.array(
    z.object({
      scopeSpans: z.array(
        z.object({
          scope: z.object({ name: z.string() }),
          spans: z.array(
            z.object({
              name: z.string(),
              attributes: z.array(z.object({ key: z.string(), value: z.unknown() })),
            }),
          ),
        }),
      ),
    }),
  ),
});

export interface ReceivedSpan {
  readonly scope: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface OtlpReceiver {
  readonly endpoint: string;
  readonly spans: readonly ReceivedSpan[];
}

/** A collector's OTLP/HTTP port, only for traces in JSON. Closed at the end of the test. */
export async function receiveOtlp(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST' || request.url !== '/v1/traces') return void response.writeHead(404).end();
    try {
      spans.push(...spansOf(await json(request)));
      response.setHeader('content-type', 'application/json').end('{}');
    } catch {
      response.writeHead(400).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the receiver does not listen');
  return { endpoint: `http://127.0.0.1:${address.port}`, spans };
}

function spansOf(body: unknown): ReceivedSpan[] {
  return traces.parse(body).resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map(({ name, attributes }) => ({
        scope: scope.name,
        name,
        attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, value])),
      })),
    ),
  );
}
