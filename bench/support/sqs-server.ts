import { createServer, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';

/*
 * A queue service that answers GetQueueAttributes and GetQueueUrl in well under a millisecond, so that only the scaler
 * is measured. A queue exists once it is requested. `PUT /queues/NAME` sets how many messages it has, `GET /requests`
 * returns the number of requests. A program of its own.
 */

const visible = new Map<string, number>();
const requests: Record<string, number> = {};

const server = createServer((request, response) => {
  void answer(request).then((body) => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`port ${typeof address === 'object' ? address?.port : ''}\n`);
});

async function answer(request: IncomingMessage): Promise<object> {
  const { method, url = '' } = request;
  if (method === 'GET') return requests;
  const body = await json(request);
  if (method === 'PUT') {
    visible.set(lastPart(url), Number(body));
    return {};
  }
  const operation = String(request.headers['x-amz-target']).replace('AmazonSQS.', '');
  requests[operation] = (requests[operation] ?? 0) + 1;
  if (operation === 'GetQueueUrl')
    return { QueueUrl: `http://${request.headers.host}/123456789012/${member(body, 'QueueName')}` };
  return {
    Attributes: {
      ApproximateNumberOfMessages: String(visible.get(lastPart(member(body, 'QueueUrl'))) ?? 0),
      ApproximateNumberOfMessagesNotVisible: '0',
      ApproximateNumberOfMessagesDelayed: '0',
    },
  };
}

function lastPart(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}

function member(body: unknown, name: string): string {
  const value = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
  if (typeof value !== 'string') throw new Error(`a request without ${name}`);
  return value;
}
