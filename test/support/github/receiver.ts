import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly raw: Buffer;
}

/** Receives webhooks and keeps them, in order of arrival. */
export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** Its answer from now on. */
  statusCode: number;
  /** `event.action` of each webhook, with the status of the job or run. */
  story(): string[];
  /** The parsed bodies of this event. */
  bodies(event: string): Record<string, unknown>[];
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    received.push({ headers: request.headers, raw: Buffer.concat(parts) });
    response.writeHead(receiver.statusCode).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/`,
    received,
    statusCode: 202,
    story: () => received.map(storyOf),
    bodies: (event) =>
      received
        .filter(({ headers }) => headers['x-github-event'] === event)
        .map(({ raw }) => JSON.parse(raw.toString())),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

function storyOf({ headers, raw }: Received): string {
  const body = JSON.parse(raw.toString());
  const { status } = body.workflow_job ?? body.workflow_run ?? {};
  return `${headers['x-github-event']} ${body.action} (${status})`;
}
