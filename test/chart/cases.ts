import type { Values } from './helm.ts';

const kafka = { source: 'kafka', bootstrapServers: ['kafka-0.kafka:9093'], tls: true };
const github = {
  source: 'github',
  owner: 'acme',
  app: { id: 1, privateKeyFile: '/etc/backlog-scaler-github/private-key.pem' },
  webhookSecretFile: '/etc/backlog-scaler-github/webhook-secret',
};
const sqs = { source: 'sqs', region: 'eu-central-1' };

/** What containers other than the chart's own must set themselves. */
const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };

/** Sets of values that together switch on everything in the chart, as users do. */
export const cases: Record<string, Values> = {
  'the default': {},
  'several pods for Kafka': { replicaCount: 3, config: { connections: { orders: kafka } } },
  'several pods for webhooks and hints, by NATS': {
    replicaCount: 3,
    config: {
      eventLog: {
        type: 'nats',
        servers: ['nats://nats.nats:4222'],
        replicas: 3,
        credentialsFile: '/etc/backlog-scaler-nats/user.creds',
        tls: { caFile: '/etc/backlog-scaler-nats/ca.crt' },
      },
      connections: { ci: github, orders: kafka },
    },
    secretMounts: ['github', 'nats'].map((name) => ({ name, secretName: name })),
    ingest: { enabled: true },
  },
  'as many pods as the CPU asks for': {
    autoscaling: { enabled: true },
    global: { imageRegistry: 'mirror.test', imagePullSecrets: ['mirror', { name: 'other' }] },
    config: { connections: { orders: kafka } },
  },
  'webhooks through a load balancer': {
    config: { connections: { ci: github } },
    secretMounts: [{ name: 'github', secretName: 'github-app' }],
    ingest: { enabled: true, service: { type: 'LoadBalancer' } },
  },
  "KEDA's certificate beside the scaler's": {
    keda: { namespace: 'scalers' },
    tls: { enabled: true, certManager: { enabled: true, issuerRef: { name: 'internal', kind: 'Issuer' } } },
  },
  "labels that look like the chart's": {
    commonLabels: { 'app.kubernetes.io/name': 'other', 'app.kubernetes.io/managed-by': 'us', team: 'shop' },
    podLabels: { 'app.kubernetes.io/component': 'other', team: 'lag' },
  },
  'webhooks behind an Ingress, events on a volume': {
    config: { eventLog: { type: 'file' }, connections: { ci: github } },
    secretMounts: [{ name: 'github', secretName: 'github-app' }],
    ingest: {
      enabled: true,
      ingress: {
        enabled: true,
        className: 'nginx',
        hosts: ['hooks.acme.test'],
        tls: [{ secretName: 'hooks', hosts: ['hooks.acme.test'] }],
      },
    },
  },
  'hints behind a Gateway': {
    config: {
      ingest: {
        tokens: [
          { name: 'eventbridge', tokenFile: '/etc/backlog-scaler-hints/token', connections: ['jobs'] },
        ],
      },
      connections: { jobs: sqs },
    },
    secretMounts: [{ name: 'hints', secretName: 'hints', items: [{ key: 'token', path: 'token' }] }],
    serviceAccount: {
      annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/backlog-scaler' },
    },
    ingest: {
      enabled: true,
      httpRoute: { enabled: true, parentRefs: [{ name: 'public' }], hostnames: ['hooks.acme.test'] },
    },
    networkPolicy: { ingressNamespace: 'gateways', egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }] },
  },
  'certificates of cert-manager': {
    tls: {
      enabled: true,
      allowedClientNames: ['keda-operator'],
      certManager: { enabled: true, issuerRef: { name: 'internal' } },
    },
  },
  'certificates of others': {
    tls: { enabled: true, existingSecret: 'server', clientCaSecret: 'clients' },
    helmTest: { clientSecret: 'client' },
  },
  'TLS without client certificates': {
    tls: {
      enabled: true,
      certManager: { enabled: true, issuerRef: { name: 'internal' }, client: { enabled: false } },
    },
  },
  'watched by Prometheus': {
    config: { admin: { tokenFile: '/etc/backlog-scaler-admin/token' }, connections: {} },
    secretMounts: [{ name: 'admin', secretName: 'admin' }],
    serviceMonitor: { enabled: true, bearerTokenSecret: { name: 'admin', key: 'token' } },
    prometheusRule: { enabled: true },
    dashboard: { enabled: true },
  },
  'more of everything': {
    extraEnv: [{ name: 'REGION', value: 'eu' }],
    extraEnvFrom: [{ configMapRef: { name: 'more' } }],
    extraVolumes: [{ name: 'tmp', emptyDir: {} }],
    extraVolumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
    extraContainers: [{ name: 'beside', image: 'beside:1', securityContext: restricted }],
    extraInitContainers: [{ name: 'before', image: 'before:1', securityContext: restricted }],
    extraManifests: ['apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-more\n'],
    nodeSelector: { 'kubernetes.io/arch': 'arm64' },
    tolerations: [{ key: 'system', operator: 'Exists' }],
    affinity: { nodeAffinity: {} },
    priorityClassName: 'system-cluster-critical',
    imagePullSecrets: [{ name: 'registry' }],
    nodeOptions: '--enable-source-maps',
  },
};

/** Everything that can be on at once. */
export const allOn: Values = {
  config: { eventLog: { type: 'file' }, connections: {} },
  ingest: {
    enabled: true,
    ingress: { enabled: true, hosts: ['a.test'] },
    httpRoute: { enabled: true, parentRefs: [{ name: 'public' }] },
  },
  tls: { enabled: true, certManager: { enabled: true, issuerRef: { name: 'internal' } } },
  serviceMonitor: { enabled: true },
  prometheusRule: { enabled: true },
  dashboard: { enabled: true },
};
