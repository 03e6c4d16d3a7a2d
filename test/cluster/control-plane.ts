import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { Api } from './api.ts';
import { apiServerFlags, controllerFlags, etcdFlags, type FeatureGates } from './plane-flags.ts';
import { Program } from './program.ts';
import type { Programs } from './programs.ts';

const token = 'the-token-of-the-test';
const names = ['DNS:localhost', 'IP:127.0.0.1', 'DNS:keda-metrics-apiserver.keda.svc'];

/** Deviations from Kubernetes' defaults. */
export interface DifferentPlane {
  readonly featureGates?: FeatureGates;
  /** For the controller manager, in addition to the necessary ones. */
  readonly controllerFlags?: readonly string[];
}

/** etcd, the API server and the controllers of Kubernetes, as processes on 127.0.0.1. */
export class ControlPlane {
  readonly api: Api;
  readonly kubeconfig: string;
  readonly certificates: Certificates;
  private readonly running: Program[];

  private constructor(own: { api: Api; kubeconfig: string; certificates: Certificates; running: Program[] }) {
    this.api = own.api;
    this.kubeconfig = own.kubeconfig;
    this.certificates = own.certificates;
    this.running = own.running;
  }

  /** All of its files are in the directory. */
  static async start(
    programs: Programs,
    directory: string,
    { featureGates = {}, controllerFlags: more = [] }: DifferentPlane = {},
  ): Promise<ControlPlane> {
    const certificates = makeCertificates(directory, { rsa: true, serverAltNames: names.join(',') });
    const [etcdPort, peerPort, apiPort] = [await freePort(), await freePort(), await freePort()];
    const api = new Api({ port: apiPort, ca: certificates.ca, token });
    const kubeconfig = await writeKubeconfig(directory, api);
    const tokens = join(directory, 'tokens.csv');
    await writeFile(tokens, `${token},test,test,"system:masters"\n`);
    const running: Program[] = [];
    const start = (name: keyof Programs, args: readonly string[]): Program => {
      const program = new Program({ command: programs[name], args, logFile: join(directory, `${name}.log`) });
      running.push(program);
      return program;
    };
    const plane = new ControlPlane({ api, kubeconfig, certificates, running });
    try {
      const etcd = start('etcd', etcdFlags(directory, etcdPort, peerPort));
      await etcd.ready(() => fetch(`http://127.0.0.1:${etcdPort}/readyz`));
      const ports = { etcd: etcdPort, api: apiPort };
      const server = start('kube-apiserver', apiServerFlags({ ports, certificates, tokens, featureGates }));
      await server.ready(() => api.get('/readyz'));
      const flags = controllerFlags(kubeconfig, await freePort(), featureGates);
      start('kube-controller-manager', [...flags, ...more]);
      return plane;
    } catch (error) {
      await plane.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const program of this.running.toReversed()) await program.stop();
  }
}

async function writeKubeconfig(directory: string, { address }: Api): Promise<string> {
  const path = join(directory, 'kubeconfig');
  const cluster = { server: `https://127.0.0.1:${address.port}`, 'certificate-authority': address.ca };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user: { token: address.token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  };
  await writeFile(path, stringify(config));
  return path;
}
