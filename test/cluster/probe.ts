import { at, type Manifest } from '../chart/helm.ts';
import { health } from '../support/health.ts';

const limitMs = 1000;

/** The readiness probe of a pod's first container, as the kubelet would run it. Without one the pod is ready. */
export async function probe(pod: Manifest, address: string): Promise<boolean> {
  const container = at(pod, 'spec', 'containers', 0);
  const http = at(container, 'readinessProbe', 'httpGet');
  const grpc = at(container, 'readinessProbe', 'grpc');
  try {
    if (http !== undefined) {
      const { ok } = await fetch(
        `http://${address}:${portOf(container, at(http, 'port'))}${at(http, 'path')}`,
      );
      return ok;
    }
    if (grpc !== undefined) {
      const port = portOf(container, at(grpc, 'port'));
      return at(await health(port, String(at(grpc, 'service')), limitMs, address), 'status') === 'SERVING';
    }
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
