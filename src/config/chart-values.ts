import { posix } from 'node:path';
import { z } from 'zod';
import { didYouMean } from '../params/suggest.ts';
import { quote } from '../printable.ts';
import type { AnySource } from '../sources/source.ts';
import { openToClients, type PortTls, type TlsSecret, tlsFaults, tlsOf, tlsSecrets } from './chart-tls.ts';
import { isMapping, type Mapping, type Path, pathText, textsWith, unfilledIn, valueAt } from './document.ts';
import { type FileSettings, fileSpelling, secretSettings } from './files.ts';
import { configSchema } from './schema.ts';

/**
 * The chart's values, as `validate` reads them: the configuration that the chart makes, and its mounts
 * (deploy/helm/backlog-scaler/templates/_config.tpl and _pod.tpl).
 */
export interface ChartValues {
  /** With `eventLog.dir`, which the chart sets; without addresses and certificates. */
  readonly config: Mapping;
  readonly mounts: readonly Mount[];
  /** What `grpc.tls` the chart makes. */
  readonly tls: PortTls;
  readonly tlsSecrets: readonly TlsSecret[];
  readonly faults: readonly ChartFault[];
  /** What is allowed, and probably not meant. */
  readonly doubts: readonly ChartFault[];
}

/** What the chart refuses, or people did not mean. */
interface ChartFault {
  readonly path: Path;
  readonly text: string;
}

interface Mount {
  /** Its folder, or with `subPath` its file. */
  readonly path: string;
  /** Undefined if it is not of `secretMounts`. */
  readonly secretName?: string;
  /** The Secret's keys by the names of their files; undefined if each file has the name of its key. */
  readonly keys?: ReadonlyMap<string, string>;
}

const portAt = (port: number) => z.looseObject({ port: z.number().default(port) }).catch({ port });

/** Values of other types are refused by Helm, with the chart's own schema. */
const shape = z.looseObject({
  config: z.record(z.string(), z.unknown()),
  secretMounts: z
    .array(
      z.looseObject({
        name: z.string(),
        secretName: z.string(),
        mountPath: z.string().optional(),
        items: z.array(z.looseObject({ key: z.string(), path: z.string() })).optional(),
      }),
    )
    .catch([]),
  extraVolumeMounts: z.array(z.looseObject({ mountPath: z.string() })).catch([]),
  replicaCount: z.number().catch(1),
  autoscaling: z
    .looseObject({ enabled: z.boolean().optional(), maxReplicas: z.number().optional() })
    .catch({}),
  service: portAt(6000),
  admin: portAt(8080),
  ingest: z
    .looseObject({
      enabled: z.boolean().optional(),
      port: z.number().default(8081),
      ingress: z
        .looseObject({
          hosts: z.array(z.string()).catch([]),
          tls: z.array(z.looseObject({ hosts: z.array(z.string()).optional() })).catch([]),
        })
        .catch({ hosts: [], tls: [] }),
    })
    .catch({ port: 8081, ingress: { hosts: [], tls: [] } }),
  tls: z.unknown().optional(),
});

type Values = z.infer<typeof shape>;

/** Those of deploy/helm/backlog-scaler/values.schema.json, which is not in the image. */
export const chartKeys: readonly string[] = [
  'global',
  'enabled',
  'nameOverride',
  'fullnameOverride',
  'commonLabels',
  'clusterDomain',
  'replicaCount',
  'autoscaling',
  'deploymentAnnotations',
  'revisionHistoryLimit',
  'image',
  'imagePullSecrets',
  'config',
  'secretMounts',
  'restartOnConfigChange',
  'persistence',
  'service',
  'admin',
  'ingest',
  'tls',
  'keda',
  'networkPolicy',
  'serviceMonitor',
  'prometheusRule',
  'dashboard',
  'serviceAccount',
  'podDisruptionBudget',
  'resources',
  'nodeOptions',
  'listenHost',
  'hostAliases',
  'dnsConfig',
  'terminationGracePeriodSeconds',
  'podAnnotations',
  'podLabels',
  'podSecurityContext',
  'securityContext',
  'priorityClassName',
  'nodeSelector',
  'tolerations',
  'affinity',
  'topologySpread',
  'extraEnv',
  'extraEnvFrom',
  'extraVolumes',
  'extraVolumeMounts',
  'extraContainers',
  'extraInitContainers',
  'extraManifests',
  'helmTest',
];

/** Undefined if the document is something else. */
export function chartValuesOf(document: unknown, sources: readonly AnySource[]): ChartValues | undefined {
  const read = shape.safeParse(document);
  if (!read.success) return undefined;
  const { config, ...others } = read.data;
  const { secretMounts, extraVolumeMounts, tls } = others;
  const { eventLog } = config;
  const isFile = isMapping(eventLog) && eventLog['type'] === 'file';
  const secrets = secretMounts.map(({ name, secretName, mountPath, items }) => {
    const path = folderOf(name, mountPath);
    if (items === undefined) return { path, secretName };
    return { path, secretName, keys: new Map(items.map((item) => [item.path, item.key])) };
  });
  return {
    config: isFile ? { ...config, eventLog: { ...eventLog, dir: '/var/lib/backlog-scaler' } } : config,
    mounts: [...secrets, ...extraVolumeMounts.map(({ mountPath }): Mount => ({ path: folder(mountPath) }))],
    tls: tlsOf(tls),
    tlsSecrets: [...tlsSecrets(tls)],
    faults: [
      ...unknownKeys(read.data),
      ...textsWith(others, unfilledIn),
      ...replicaFaults(read.data, sources),
      ...installFaults(read.data),
      ...tlsFaults(tls),
      ...secretFaults(config, ['config'], secretSettings(sources)),
    ],
    doubts: [
      ...closedToSenders(read.data),
      ...hostsWithoutCertificate(others.ingest),
      ...sharedSecrets(secrets, config['connections']),
      ...openToClients(tls),
    ],
  };
}

/** Senders without a Service for them, or that without senders: the scaler opens the port for the first of them. */
function* closedToSenders({ config, ingest }: Values): Generator<ChartFault> {
  const { connections } = config;
  const senders: Path[] = [
    ['ingest', 'tokens'],
    ...Object.entries(isMapping(connections) ? connections : {}).flatMap(([name, entry]): Path[] =>
      Object.keys(isMapping(entry) ? entry : {})
        .filter((key) => /^(?:webhookSecret(?:s|Files?)?|snsTopics)$/.test(key))
        .map((key) => ['connections', name, key]),
    ),
  ].filter((path) => !isNothing(valueAt(config, path)));
  if (ingest.enabled === true && senders.length === 0) {
    const text =
      'ingest.enabled: nobody may send, so the port stays closed: give a connection webhookSecretFile or snsTopics, or set config.ingest.tokens';
    yield { path: ['ingest', 'enabled'], text };
  }
  for (const sender of ingest.enabled === true ? [] : senders) {
    const path = ['config', ...sender];
    yield { path, text: `${pathText(path)}: nothing that is sent arrives without ingest.enabled: true` };
  }
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

/** Hosts of the Ingress that none of its certificates names. */
function* hostsWithoutCertificate({ ingress: { hosts, tls } }: Values['ingest']): Generator<ChartFault> {
  if (tls.length === 0) return;
  for (const [i, host] of hosts.entries()) {
    const isNamed = tls.some(
      (one) => one.hosts === undefined || one.hosts.some((pattern) => isHostOf(pattern, host)),
    );
    if (isNamed) continue;
    const path = ['ingest', 'ingress', 'hosts', i];
    yield {
      path,
      text: `${pathText(path)}: ${quote(host)} is in no hosts of ingest.ingress.tls: add it there`,
    };
  }
}

/** As an Ingress has it: `*.` stands for one label. */
function isHostOf(pattern: string, host: string): boolean {
  return pattern === host || (pattern.startsWith('*.') && pattern.slice(1) === host.replace(/^[^.]+/, ''));
}

/** Two mounts of the same keys, for connections of other namespaces: one team would use the login of another. */
function* sharedSecrets(
  mounts: readonly (Mount & { readonly secretName: string })[],
  connections: unknown,
): Generator<ChartFault> {
  const entries = Object.entries(isMapping(connections) ? connections : {});
  const usersOf = ({ path }: Mount) =>
    entries
      .filter(([, entry]) => JSON.stringify(entry).includes(`"${path}/`))
      .map(([name, entry]) => ({ name, namespaces: JSON.stringify(valueAt(entry, ['namespaces'])) }));
  for (const [i, mount] of mounts.entries()) {
    for (const [j, other] of mounts.slice(0, i).entries()) {
      const [keys, others] = [mount, other].map(({ keys }) => keys && [...keys.values()]);
      const isSame = !keys || !others || keys.some((key) => others.includes(key));
      if (mount.secretName !== other.secretName || !isSame) continue;
      const [user, before] = [usersOf(mount), usersOf(other)].map(([first]) => first);
      if (!user || !before || user.namespaces === before.namespaces) continue;
      const path = ['secretMounts', i];
      const text = `${pathText(path)}: is Secret ${mount.secretName}, as ${pathText(['secretMounts', j])} is, so connections ${before.name} and ${user.name}, of other namespaces, have one login: give each its own Secret`;
      yield { path, text };
    }
  }
}

function* unknownKeys(values: Values): Generator<ChartFault> {
  for (const key of Object.keys(values)) {
    if (chartKeys.includes(key)) continue;
    const what = isOfConfig(key)
      ? `put \`${key}\` below \`config\``
      : `unknown key${didYouMean(key, chartKeys)}`;
    yield { path: [key], text: `${key}: ${what}` };
  }
}

/** Whether it is a section of the configuration, which the chart has below `config`. */
function isOfConfig(key: string): boolean {
  return Object.hasOwn(configSchema.shape, key);
}

/** What is wrong where connections stand beside keys that only the chart has, without a `config`. */
export function besideChartKeys(document: Mapping): string | undefined {
  // Of a configuration `tls` is a section in the wrong place.
  const own = Object.keys(document).filter(
    (key) => chartKeys.includes(key) && !isOfConfig(key) && key !== 'tls',
  );
  if (own.length === 0 || document['connections'] === undefined) return undefined;
  return `holds the chart's values (${own.join(', ')}): put \`connections\` below \`config\``;
}

/** As `backlog-scaler.refuseReplicas` of the chart has it. */
function* replicaFaults(values: Values, sources: readonly AnySource[]): Generator<ChartFault> {
  const { config, replicaCount, autoscaling, ingest } = values;
  const [path, most] =
    autoscaling.enabled === true
      ? [['autoscaling', 'maxReplicas'], autoscaling.maxReplicas ?? 4]
      : [['replicaCount'], replicaCount];
  const type = valueAt(config, ['eventLog', 'type']) ?? 'memory';
  if (most <= 1 || type === 'nats') return;
  const tokens = valueAt(config, ['ingest', 'tokens']);
  const why = type === 'file' ? ['the event log on a volume'] : [];
  if (ingest.enabled === true || (Array.isArray(tokens) && tokens.length > 0)) why.push('ingest');
  const { connections } = config;
  for (const [name, entry] of Object.entries(isMapping(connections) ? connections : {})) {
    if (!isMapping(entry)) continue;
    const source = sources.find(({ kind }) => kind === entry['source']);
    const isFilled = source?.webhooks !== undefined || source?.cloudEvents !== undefined;
    if (isFilled || valueAt(entry, ['snsTopics', 0]) !== undefined) why.push(`connection ${name}`);
  }
  if (why.length === 0) return;
  const text = `${pathText(path)}: must be 1 because of ${why.join(', ')}, or set config.eventLog.type: nats`;
  yield { path, text };
}

/** As `backlog-scaler.refuse` and `backlog-scaler.refuseVolumes` of the chart have it. */
function* installFaults({ service, admin, ingest, secretMounts }: Values): Generator<ChartFault> {
  if (new Set([service.port, admin.port, ingest.port]).size < 3) {
    const text = 'service.port, admin.port and ingest.port: must differ, since they are ports of one pod';
    yield { path: ['service', 'port'], text };
  }
  const paths = secretMounts.map(({ name, mountPath }) => folderOf(name, mountPath));
  for (const [i, { name }] of secretMounts.entries()) {
    const isTaken =
      secretMounts.findIndex((one) => one.name === name) < i || paths.indexOf(paths[i] ?? '') < i;
    if (!isTaken) continue;
    const path = ['secretMounts', i];
    yield {
      path,
      text: `${pathText(path)}: another entry has its name or mountPath; give it one of its own`,
    };
  }
}

/** As `backlog-scaler.refuseSecrets` of the chart has it. */
function* secretFaults(node: unknown, at: Path, secrets: FileSettings): Generator<ChartFault> {
  if (Array.isArray(node)) {
    for (const [i, member] of node.entries()) yield* secretFaults(member, [...at, i], secrets);
  }
  if (!isMapping(node)) return;
  for (const [key, value] of Object.entries(node)) {
    const path = [...at, key];
    const inFile = fileSpelling(key, secrets);
    if (inFile !== undefined && !isMapping(value)) {
      if ([value].flat().every(isVariable)) continue;
      const text = `${pathText(path)}: a secret cannot be in a ConfigMap; write ${inFile} with a path in secretMounts, or \${NAME} with extraEnv`;
      yield { path, text };
    } else if (typeof value === 'string' && value.includes('PRIVATE KEY-----')) {
      const text = `${pathText(path)}: a private key cannot be in a ConfigMap; write ${key}File with a path in secretMounts`;
      yield { path, text };
    } else yield* secretFaults(value, path, secrets);
  }
}

/** `${NAME}` and no more. Helm takes a key without a value as absent. */
function isVariable(value: unknown): boolean {
  return value === null || /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/.test(String(value));
}

function folderOf(name: string, mountPath: string | undefined): string {
  return folder(mountPath ?? `/etc/backlog-scaler-${name}`);
}

function folder(path: string): string {
  return path.replace(/\/+$/, '');
}

/** What makes a file of the pod: a Secret's key, or a volume of `extraVolumes`, named by where it is mounted. */
export type FileOrigin =
  | { readonly secretName: string; readonly key: string }
  | { readonly volumeAt: string };

/** Where the pod has this file from; or why it does not have it, in words that follow a setting's name. */
export function mountOf(
  path: string,
  mounts: readonly Mount[],
): { readonly from: FileOrigin } | { readonly missing: string } {
  const mount = mounts.find((one) => path === one.path || path.startsWith(`${one.path}/`));
  if (mount === undefined) {
    const [, name] = /^\/etc\/backlog-scaler-([\w-]+)\/[^/]+$/.exec(path) ?? [];
    const entry =
      name === undefined
        ? `{ name: NAME, secretName: SECRET, mountPath: ${posix.dirname(path)} }`
        : `{ name: ${name}, secretName: SECRET }`;
    const known = mounts.length === 0 ? '' : `; mounted are ${mounts.map((one) => one.path).join(', ')}`;
    return { missing: `nothing is mounted at ${path}: add ${entry} to secretMounts${known}` };
  }
  const { secretName, keys } = mount;
  if (secretName === undefined) return { from: { volumeAt: mount.path } };
  const file = path.slice(mount.path.length + 1);
  const own = /^[-._\w]+$/.test(file) ? file : undefined;
  const key = keys === undefined ? own : keys.get(file);
  if (key !== undefined) return { from: { secretName, key } };
  const given =
    keys === undefined ? 'its keys are files, not folders' : `items has ${[...keys.keys()].join(', ')}`;
  return { missing: `Secret ${secretName} makes no file ${path}: ${given}` };
}
