import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { countAttributes } from './counts.ts';
import { region } from './region.ts';
import { jsonObject } from './request.ts';

/** The server of SQS behind a proxy. */
export interface Upstream {
  readonly port: number;
  readonly account: string;
}

/** `Host` is passed on unchanged, because the server builds its queues' addresses from it. */
export async function askUpstream(
  { port }: Upstream,
  { path, headers, body }: { path: string; headers: OutgoingHttpHeaders; body: Buffer },
): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
  return await new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method: 'POST', path, headers, agent: false });
    asked.once('error', reject);
    asked.once('response', (answer) => {
      const { 'transfer-encoding': _, connection: __, ...kept } = answer.headers;
      buffer(answer).then(
        (read) => resolve({ status: answer.statusCode ?? 502, headers: kept, body: read }),
        reject,
      );
    });
    asked.end(body);
  });
}

/** A queue's counts from the server. Nobody checks the signature, but moto takes the region from it. */
export async function countsNow(upstream: Upstream, queue: string): Promise<Record<string, string>> {
  const QueueUrl = `http://127.0.0.1:${upstream.port}/${upstream.account}/${queue}`;
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'AmazonSQS.GetQueueAttributes',
    authorization: `AWS4-HMAC-SHA256 Credential=proxy/20260101/${region}/sqs/aws4_request`,
  };
  const asked = Buffer.from(JSON.stringify({ QueueUrl, AttributeNames: countAttributes }));
  const { status, body } = await askUpstream(upstream, { path: '/', headers, body: asked });
  if (status !== 200) throw new Error(`the server answers ${status} for ${queue}: ${body.toString()}`);
  return attributesOf(body);
}

/** The attributes in an answer to GetQueueAttributes. */
export function attributesOf(body: Buffer): Record<string, string> {
  const { Attributes: attributes } = jsonObject(body);
  if (typeof attributes !== 'object' || attributes === null) return {};
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)]));
}
