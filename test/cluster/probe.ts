import { Client, credentials } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { at, type Manifest } from '../chart/helm.ts';

/** What the readiness probe of a pod's first container says, as the kubelet would ask; without one it is ready. */
export async function probe(pod: Manifest): Promise<boolean> {
  const container = at(pod, 'spec', 'containers', 0);
  const http = at(container, 'readinessProbe', 'httpGet');
  const grpc = at(container, 'readinessProbe', 'grpc');
  try {
    if (http !== undefined) {
      const { ok } = await fetch(
        `http://127.0.0.1:${portOf(container, at(http, 'port'))}${at(http, 'path')}`,
      );
      return ok;
    }
    if (grpc !== undefined)
      return await healthy(portOf(container, at(grpc, 'port')), String(at(grpc, 'service')));
    return true;
  } catch {
    return false;
  }
}

function portOf(container: unknown, port: unknown): number {
  if (typeof port === 'number') return port;
  const ports = at(container, 'ports');
  const found = Array.isArray(ports) ? ports.find((one) => at(one, 'name') === port) : undefined;
  return Number(at(found, 'containerPort'));
}

async function healthy(port: number, service: string): Promise<boolean> {
  const method = healthService['Check'];
  if (method === undefined) throw new Error('grpc-health-check has no Check');
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = method;
      const deadline = Date.now() + 1000;
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        { service },
        { deadline },
        (error, answer) => {
          if (error) reject(error);
          else resolve(at(answer, 'status') === 'SERVING');
        },
      );
    });
  } finally {
    client.close();
  }
}
