/** What a request of the JSON protocol asks for, as far as faults and counts tell requests apart. */
export interface SqsRequest {
  /** `GetQueueAttributes`; the empty string where it is none of SQS. */
  readonly operation: string;
  /** The queue's name; undefined where the request is for none. */
  readonly queue: string | undefined;
  /** Of the signature (AWS Signature Version 4, credential scope). */
  readonly accessKeyId: string | undefined;
  readonly region: string | undefined;
  readonly atMs: number;
}

const target = 'AmazonSQS.';
const scope = /Credential=([^/]+)\/\d+\/([^/]+)\/sqs\/aws4_request/;

export function requestOf(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: Buffer,
  atMs: number,
): SqsRequest {
  const named = String(headers['x-amz-target'] ?? '');
  const [, accessKeyId, region] = scope.exec(String(headers['authorization'] ?? '')) ?? [];
  return {
    operation: named.startsWith(target) ? named.slice(target.length) : '',
    queue: queueOf(jsonObject(body)),
    accessKeyId,
    region,
    atMs,
  };
}

function queueOf({ QueueUrl: url, QueueName: name }: Record<string, unknown>): string | undefined {
  if (typeof name === 'string') return name;
  return typeof url === 'string' ? url.slice(url.lastIndexOf('/') + 1) : undefined;
}

/** The object that a body holds; empty where it holds none. */
export function jsonObject(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
