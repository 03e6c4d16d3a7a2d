import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pair } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import type { ControlPlane } from './control-plane.ts';
import type { PodHosts } from './pod-hosts.ts';
import { Program } from './program.ts';
import type { Programs } from './programs.ts';

const namespace = 'keda';

/** KEDA's operator and its metrics adapter, as processes on 127.0.0.1. Their definitions are there already. */
export class Keda {
  private operator: Program;
  private readonly adapter: Program;
  private readonly startOperator: () => Program;
  private readonly operatorHealth: string;

  private constructor(own: { startOperator: () => Program; operatorHealth: string; adapter: Program }) {
    this.startOperator = own.startOperator;
    this.operatorHealth = own.operatorHealth;
    this.operator = own.startOperator();
    this.adapter = own.adapter;
  }

  /**
   * `operatorFlags`: those beside what it needs to run here, `--kube-api-qps` for example. With `hosts` the operator finds
   * pods by that file, which it alone sees as /etc/hosts: for that one must be root.
   */
  static async start(
    programs: Programs,
    plane: ControlPlane,
    directory: string,
    { operatorFlags = [], hosts }: { operatorFlags?: readonly string[]; hosts?: PodHosts } = {},
  ): Promise<Keda> {
    const { api, kubeconfig } = plane;
    const { ca, server, client } = plane.certificates;
    const [metricsService, health] = [await freePort(), await freePort()];
    const [adapterPort, adapterMetrics] = [await freePort(), await freePort()];
    await aggregate(plane, adapterPort);
    const env = {
      ...process.env,
      KUBECONFIG: kubeconfig,
      POD_NAMESPACE: namespace,
      KEDA_CLUSTER_OBJECT_NAMESPACE: namespace,
      WATCH_NAMESPACE: '',
    };
    const args = [
      `--cert-dir=${await certificateFolder(directory, 'operator', ca, server)}`,
      '--enable-prometheus-metrics=false',
      `--health-probe-bind-address=127.0.0.1:${health}`,
      `--metrics-service-bind-address=127.0.0.1:${metricsService}`,
      '--zap-log-level=info',
      ...operatorFlags,
    ];
    const script = 'mount --bind "$1" /etc/hosts && shift && exec "$@"';
    const alone = hosts && ['--mount', 'sh', '-c', script, 'sh', hosts.file, programs['keda-operator']];
    const startOperator = () =>
      new Program({
        command: alone ? 'unshare' : programs['keda-operator'],
        args: [...(alone ?? []), ...args],
        logFile: join(directory, 'keda-operator.log'),
        env,
      });
    const delegated = ['authentication', 'authorization', 'lister'].map(
      (what) => `--${what}-kubeconfig=${kubeconfig}`,
    );
    const adapter = new Program({
      command: programs['keda-adapter'],
      args: [
        '--bind-address=127.0.0.1',
        `--secure-port=${adapterPort}`,
        `--port=${adapterMetrics}`,
        `--metrics-service-address=127.0.0.1:${metricsService}`,
        `--cert-dir=${await certificateFolder(directory, 'adapter', ca, client)}`,
        `--tls-cert-file=${server.cert}`,
        `--tls-private-key-file=${server.key}`,
        ...delegated,
      ],
      logFile: join(directory, 'keda-adapter.log'),
      env,
    });
    const operatorHealth = `http://127.0.0.1:${health}/readyz`;
    const keda = new Keda({ startOperator, operatorHealth, adapter });
    try {
      await keda.operatorReady();
      await adapter.ready(() => api.get('/apis/external.metrics.k8s.io/v1beta1'));
    } catch (error) {
      await keda.stop();
      throw error;
    }
    return keda;
  }

  /** As where its node dies: nothing is said to anybody, and another one begins. */
  async replaceOperator(): Promise<void> {
    await this.operator.kill();
    this.operator = this.startOperator();
    await this.operatorReady();
  }

  /** How many times the operator has gone over a ScaledObject, which costs it some of its requests. */
  reconciles(): number {
    return this.operator.log().split('"Reconciling ScaledObject"').length - 1;
  }

  private async operatorReady(): Promise<void> {
    await this.operator.ready(() => fetch(this.operatorHealth));
  }

  async stop(): Promise<void> {
    await Promise.all([this.operator.stop(), this.adapter.stop()]);
  }
}

/** Lets the API server ask the adapter, or what stands in for it on this machine, for external metrics. */
export async function aggregate({ api, certificates }: ControlPlane, port: number): Promise<void> {
  const name = 'keda-metrics-apiserver';
  await api.create(`/api/v1/namespaces/${namespace}/services`, {
    metadata: { name },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  });
  await api.create('/apis/apiregistration.k8s.io/v1/apiservices', {
    metadata: { name: 'v1beta1.external.metrics.k8s.io' },
    spec: {
      group: 'external.metrics.k8s.io',
      version: 'v1beta1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      caBundle: (await readFile(certificates.ca)).toString('base64'),
      service: { name, namespace, port },
    },
  });
}

async function certificateFolder(directory: string, name: string, ca: string, pair: Pair): Promise<string> {
  const folder = join(directory, name);
  await mkdir(folder);
  await copyFile(ca, join(folder, 'ca.crt'));
  await copyFile(pair.cert, join(folder, 'tls.crt'));
  await copyFile(pair.key, join(folder, 'tls.key'));
  return folder;
}
