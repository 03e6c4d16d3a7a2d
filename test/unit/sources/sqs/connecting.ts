import { ScalerError } from '../../../../src/errors.ts';
import { type SqsConfig, sqsConfig } from '../../../../src/sources/sqs/config.ts';
import type { SqsSnapshot } from '../../../../src/sources/sqs/rules/history.ts';
import { connect, type SqsConnection } from '../../../../src/sources/sqs/upstream/connection.ts';
import type { SourceMetrics } from '../../../../src/telemetry/metrics.ts';
import { unmeasured } from '../../../support/connection-deps.ts';
import { paramsOf } from './trigger-params.ts';

export const secretAccessKey = 'hunter2/hunter2+hunter2';

/** A configuration with an access key, for a server of ours or for AWS. Undefined settings are left out. */
export function configOf(endpoint: string | undefined, more: object = {}): SqsConfig {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey };
  const settings = { region: 'eu-central-1', endpoint, credentials, requestTimeoutMs: 2000, ...more };
  return sqsConfig.parse(
    Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)),
  );
}

export function connectionTo(endpoint?: string, more: object = {}, metrics: SourceMetrics = unmeasured) {
  return connect(configOf(endpoint, more), { metrics, same: () => false });
}

/** The result for each of these queues, by `queueURL`. */
export async function readAll(
  connection: SqsConnection,
  queues: readonly string[],
  signal = new AbortController().signal,
): Promise<Map<string, SqsSnapshot | ScalerError>> {
  const results = new Map<string, SqsSnapshot | ScalerError>();
  const refs = new Map(queues.map((queue) => [connection.subject(paramsOf({ queueURL: queue })), queue]));
  await connection.read(
    [...refs.keys()].map(({ key, need }) => ({ key, needs: [need] })),
    (key, result) => {
      for (const [ref, queue] of refs) {
        if (ref.key === key) results.set(queue, result instanceof ScalerError ? result : result.snapshot);
      }
    },
    signal,
  );
  return results;
}

export async function readOne(connection: SqsConnection, queue: string): Promise<SqsSnapshot> {
  const result = (await readAll(connection, [queue])).get(queue);
  if (result === undefined) throw new Error('nothing was delivered');
  if (result instanceof ScalerError) throw result;
  return result;
}

/** The error that reading this queue ends with. */
export async function errorOf(connection: SqsConnection, queue: string): Promise<ScalerError> {
  const result = (await readAll(connection, [queue])).get(queue);
  if (!(result instanceof ScalerError)) throw new Error(`was read: ${JSON.stringify(result)}`);
  return result;
}

/** Counts the requests, as `operation outcome`. */
export function countingMetrics(): { metrics: SourceMetrics; counted: string[] } {
  const counted: string[] = [];
  const request = (operation: string, outcome: string) => counted.push(`${operation} ${outcome}`);
  return { metrics: { ...unmeasured, request }, counted };
}
