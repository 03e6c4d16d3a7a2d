import { at, type Manifest } from './helm.ts';

const volumeKinds = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];
const hostNamespaces = ['hostNetwork', 'hostPID', 'hostIPC'];
const allowedSysctls =
  /^(kernel\.shm_rmid_forced|net\.ipv4\.(ip_local_port_range|ip_unprivileged_port_start|tcp_syncookies|ping_group_range|ip_local_reserved_ports|tcp_keepalive_time|tcp_fin_timeout|tcp_keepalive_intvl|tcp_keepalive_probes))$/;
const seLinuxTypes = [
  undefined,
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
  'container_engine_t',
];

/**
 * The reasons why a namespace with the Pod Security Standard *restricted* refuses a pod, a sentence each (kubernetes.io,
 * "Pod Security Standards": baseline and restricted, Linux pods). Empty if it accepts the pod.
 */
export function restrictedViolations(podSpec: unknown, annotations: unknown = {}): string[] {
  const containers = ['containers', 'initContainers', 'ephemeralContainers'].flatMap((key) =>
    list(at(podSpec, key)),
  );
  return [
    ...hostNamespaces.filter((key) => at(podSpec, key) === true),
    ...list(at(podSpec, 'volumes')).flatMap(volumeViolations),
    ...list(at(podSpec, 'securityContext', 'sysctls')).flatMap((one) =>
      allowedSysctls.test(String(at(one, 'name'))) ? [] : [`sysctl ${String(at(one, 'name'))}`],
    ),
    ...contextViolations('pod', at(podSpec, 'securityContext')),
    ...Object.entries(Object(annotations)).flatMap(([key, value]) =>
      key.startsWith('container.apparmor.security.beta.kubernetes.io/') && value === 'unconfined'
        ? [key]
        : [],
    ),
    ...containers.flatMap((container) => containerViolations(container, podSpec)),
  ];
}

/** The pods of a manifest: its own, or its template's. */
export function podOf(manifest: Manifest): { spec: unknown; annotations: unknown } | undefined {
  const pod = manifest['kind'] === 'Pod' ? manifest : at(manifest, 'spec', 'template');
  const spec = at(pod, 'spec');
  return at(spec, 'containers') === undefined
    ? undefined
    : { spec, annotations: at(pod, 'metadata', 'annotations') };
}

function containerViolations(container: unknown, podSpec: unknown): string[] {
  const name = String(at(container, 'name'));
  const own = at(container, 'securityContext');
  const setting = (key: string): unknown => at(own, key) ?? at(podSpec, 'securityContext', key);
  const dropped = list(at(own, 'capabilities', 'drop'));
  const added = list(at(own, 'capabilities', 'add')).filter((one) => one !== 'NET_BIND_SERVICE');
  const profile =
    at(own, 'seccompProfile', 'type') ?? at(podSpec, 'securityContext', 'seccompProfile', 'type');
  const faults = {
    privileged: at(own, 'privileged') === true,
    allowPrivilegeEscalation: at(own, 'allowPrivilegeEscalation') !== false,
    runAsNonRoot: setting('runAsNonRoot') !== true,
    runAsUser: setting('runAsUser') === 0,
    'capabilities.drop': !dropped.includes('ALL'),
    'capabilities.add': added.length > 0,
    seccompProfile: profile !== 'RuntimeDefault' && profile !== 'Localhost',
    procMount: !['Default', undefined].includes(text(at(own, 'procMount'))),
    hostPort: list(at(container, 'ports')).some((port) => Number(at(port, 'hostPort') ?? 0) !== 0),
    'host of a probe or hook': hosts(container).length > 0,
  };
  const found = Object.entries(faults).flatMap(([key, wrong]) => (wrong ? [`${name}: ${key}`] : []));
  return [...found, ...contextViolations(name, own)];
}

function contextViolations(name: string, context: unknown): string[] {
  const faults = {
    seLinuxOptions:
      !seLinuxTypes.includes(text(at(context, 'seLinuxOptions', 'type'))) ||
      Boolean(at(context, 'seLinuxOptions', 'user')) ||
      Boolean(at(context, 'seLinuxOptions', 'role')),
    appArmorProfile: at(context, 'appArmorProfile', 'type') === 'Unconfined',
    hostProcess: at(context, 'windowsOptions', 'hostProcess') === true,
  };
  return Object.entries(faults).flatMap(([key, wrong]) => (wrong ? [`${name}: ${key}`] : []));
}

function volumeViolations(volume: unknown): string[] {
  const kinds = Object.keys(Object(volume)).filter((key) => key !== 'name');
  return kinds.filter((kind) => !volumeKinds.includes(kind)).map((kind) => `volume ${kind}`);
}

/** Since 1.34 probes and hooks may not name a host. */
function hosts(container: unknown): unknown[] {
  const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'].map((key) => at(container, key));
  const hooks = ['postStart', 'preStop'].map((key) => at(container, 'lifecycle', key));
  return [...probes, ...hooks].flatMap((one) =>
    [at(one, 'httpGet', 'host'), at(one, 'tcpSocket', 'host')].filter(Boolean),
  );
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}
