import { join } from 'node:path';
import type { Certificates } from '../support/certificates.ts';

/** The controllers that the objects here need. Nodes and volumes do not exist. */
const controllers = [
  'deployment',
  'replicaset',
  'job',
  'horizontal-pod-autoscaler-controller',
  'namespace',
  'garbage-collector-controller',
  'serviceaccount-controller',
  'disruption-controller',
  'endpointslice-controller',
  'persistentvolumeclaim-protection-controller',
];

/** Feature gates of Kubernetes that differ from their defaults. */
export type FeatureGates = Readonly<Record<string, boolean>>;

export function etcdFlags(directory: string, port: number, peerPort: number): string[] {
  return [
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=http://127.0.0.1:${port}`,
    `--advertise-client-urls=http://127.0.0.1:${port}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    '--unsafe-no-fsync',
  ];
}

interface ApiServer {
  readonly featureGates: FeatureGates;
  readonly ports: { readonly etcd: number; readonly api: number };
  readonly certificates: Certificates;
  /** The file of tokens and their users. */
  readonly tokens: string;
}

/** Admission has its defaults, with Pod Security. */
export function apiServerFlags({ ports, certificates, tokens, featureGates }: ApiServer): string[] {
  const { ca, server, client } = certificates;
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${ports.api}`,
    // It must not be a loopback address, and nobody uses it.
    '--advertise-address=192.0.2.1',
    '--endpoint-reconciler-type=none',
    `--tls-cert-file=${server.cert}`,
    `--tls-private-key-file=${server.key}`,
    `--token-auth-file=${tokens}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.0.0.0/24',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${server.key}`,
    `--service-account-signing-key-file=${server.key}`,
    // How it shows the caller's identity to KEDA's metrics adapter.
    `--requestheader-client-ca-file=${ca}`,
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${client.cert}`,
    `--proxy-client-key-file=${client.key}`,
    ...gates(featureGates),
  ];
}

/** Their intervals are those of any cluster: the HPA looks every 15 s. */
export function controllerFlags(kubeconfig: string, port: number, featureGates: FeatureGates): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    '--leader-elect=false',
    `--controllers=${controllers.join(',')}`,
    ...gates(featureGates),
  ];
}

function gates(featureGates: FeatureGates): string[] {
  const pairs = Object.entries(featureGates).map(([name, on]) => `${name}=${on}`);
  return pairs.length === 0 ? [] : [`--feature-gates=${pairs.join()}`];
}
