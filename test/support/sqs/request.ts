/** The properties by which faults and counts select a request of the JSON protocol. */
export interface SqsRequest {
  /** Such as `GetQueueAttributes`. Empty if it is not an operation of SQS. */
  readonly operation: string;
  /** The queue's name, if the request has one. */
  readonly queue: string | undefined;
  /** From the signature (AWS Signature Version 4, credential scope). */
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

/** The object in a body. Empty if the body is not an object. */
export function jsonObject(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
