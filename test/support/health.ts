import { Client, credentials } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';

/** The answer of gRPC's health service about a service. Rejects with the RPC's status. */
export async function health(
  port: number,
  service = '',
  limitMs = 30_000,
  address = '127.0.0.1',
): Promise<unknown> {
  const method = healthService['Check'];
  if (method === undefined) throw new Error('grpc-health-check has no Check');
  const client = new Client(`${address}:${port}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = method;
  const deadline = Date.now() + limitMs;
  try {
    return await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        { service },
        { deadline },
        (error, answer) => (error ? reject(error) : resolve(answer)),
      );
    });
  } finally {
    client.close();
  }
}
