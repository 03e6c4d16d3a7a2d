/** Common mistakes, each alone in an otherwise right file. docs/validate.md shows what `validate` reports for each. */
export interface RealMistake {
  readonly mistake: string;
  readonly in: 'object' | 'job';
  /** Each text, and its replacement. */
  readonly change: readonly (readonly [string, string])[];
  readonly severity: 'error' | 'warning';
  /** What its message must match. */
  readonly says: RegExp;
}

export const rightObject = `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: order-workers
  namespace: shop
spec:
  scaleTargetRef:
    name: order-workers
  maxReplicaCount: 20
  triggers:
    - type: external-push
      metadata:
        scalerAddress: backlog-scaler.keda:6000
        source: kafka
        connection: orders
        consumerGroup: order-workers
        topic: orders
        lagThreshold: "50"
`;

export const rightJob = `apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata:
  name: runners
  namespace: ci
spec:
  pollingInterval: 1
  maxReplicaCount: 50
  rollout: { strategy: gradual }
  jobTargetRef:
    template:
      spec:
        restartPolicy: Never
        containers:
          - name: runner
            image: runner:1
  triggers:
    - type: external
      metadata:
        scalerAddress: backlog-scaler.keda:6000
        source: github
        owner: acme
`;

/** For these connections: `orders` for namespace `shop`, `payments` for `bank`, GitHub's `acme` for `ci`. */
export const rightConfig = `connections:
  orders:
    source: kafka
    bootstrapServers: [kafka-0.kafka:9092]
    namespaces: [shop]
  payments:
    source: kafka
    bootstrapServers: [kafka-0.bank:9092]
    namespaces: [bank]
  ci:
    source: github
    owner: acme
    token: a-token-that-nobody-knows
    namespaces: [ci]
`;

const max = '  maxReplicaCount: 20\n';
const type = '    - type: external-push\n';
const threshold = '        lagThreshold: "50"\n';
const behavior = (text: string): readonly [string, string] => [
  max,
  `${max}  advanced:\n    horizontalPodAutoscalerConfig:\n      behavior:\n        scaleUp: ${text}\n`,
];

const beside = (text: string): readonly [string, string] => [type, `${type}      ${text}\n`];

export const mistakes: readonly RealMistake[] = [
  {
    mistake: 'a wrong key',
    in: 'object',
    change: [['lagThreshold', 'lagTreshold']],
    severity: 'error',
    says: /unknown key \(did you mean "lagThreshold"\?\)/,
  },
  {
    mistake: 'a wrong unit in a threshold',
    in: 'object',
    change: [['"50"', '"5m"']],
    severity: 'error',
    says: /has no unit such as "m"/,
  },
  {
    mistake: 'a wrong unit in a time',
    in: 'object',
    change: [[max, `${max}  cooldownPeriod: 300000\n`]],
    severity: 'warning',
    says: /is in seconds; 300000 are 83.3 hours/,
  },
  {
    mistake: 'a number without quotes',
    in: 'object',
    change: [['"50"', '50']],
    severity: 'error',
    says: /write "50" in quotes/,
  },
  {
    mistake: 'a required key is missing',
    in: 'object',
    change: [['        consumerGroup: order-workers\n', '']],
    severity: 'error',
    says: /consumerGroup: is required/,
  },
  {
    mistake: 'a cap below the tolerance',
    in: 'object',
    change: [[max, '  minReplicaCount: 20\n  maxReplicaCount: 22\n']],
    severity: 'warning',
    says: /at most 22 partitions.*stays at minReplicaCount 20/,
  },
  {
    mistake: "another team's connection",
    in: 'object',
    change: [['connection: orders', 'connection: payments']],
    severity: 'error',
    says: /may not be used from namespace "shop"/,
  },
  {
    mistake: 'a missing connection',
    in: 'object',
    change: [['connection: orders', 'connection: order']],
    severity: 'error',
    says: /did you mean "orders"/,
  },
  {
    mistake: 'a secret in plain text',
    in: 'object',
    change: [[threshold, `${threshold}        password: hunter2\n`]],
    severity: 'error',
    says: /password: is a secret/,
  },
  {
    mistake: 'a secret from the workload',
    in: 'object',
    change: [[threshold, `${threshold}        passwordFromEnv: KAFKA_PASSWORD\n`]],
    severity: 'warning',
    says: /makes KEDA send the secret/,
  },
  {
    mistake: '`authenticationRef` for the source',
    in: 'object',
    change: [beside('authenticationRef: { name: kafka-login }')],
    severity: 'warning',
    says: /only its caCert, tlsClientCert and tlsClientKey/,
  },
  {
    mistake: '`useCachedMetrics` with push',
    in: 'object',
    change: [beside('useCachedMetrics: true')],
    severity: 'warning',
    says: /zero of the last poll/,
  },
  {
    mistake: 'headroom of a ScaledJob',
    in: 'job',
    change: [['owner: acme', 'owner: acme\n        headroomReplicas: "2"']],
    severity: 'warning',
    says: /Jobs that find no work/,
  },
  {
    mistake: 'a ScaledJob that waits for push',
    in: 'job',
    change: [['type: external', 'type: external-push']],
    severity: 'warning',
    says: /a push creates no Job/,
  },
  {
    mistake: 'a ScaledJob that polls rarely',
    in: 'job',
    change: [['pollingInterval: 1', 'pollingInterval: 30']],
    severity: 'warning',
    says: /work waits for up to 30 s/,
  },
  {
    mistake: 'running Jobs are counted twice',
    in: 'job',
    change: [['  triggers:', '  scalingStrategy: { strategy: accurate }\n  triggers:']],
    severity: 'warning',
    says: /set count to queued/,
  },
  {
    mistake: '`fallback` at each restart',
    in: 'object',
    change: [[max, `${max}  fallback: { failureThreshold: 0, replicas: 5 }\n`]],
    severity: 'warning',
    says: /at each restart of the scaler too/,
  },
  {
    mistake: 'a `behavior` that undoes the surge',
    in: 'object',
    change: [behavior('{ policies: [{ type: Pods, value: 2, periodSeconds: 60 }] }')],
    severity: 'warning',
    says: /need 540 s at least/,
  },
  {
    mistake: 'a `behavior` that waits',
    in: 'object',
    change: [behavior('{ stabilizationWindowSeconds: 60 }')],
    severity: 'warning',
    says: /begins 60 s late/,
  },
  {
    mistake: 'a `behavior` that Kubernetes refuses',
    in: 'object',
    change: [behavior('{ policies: [{ type: Pod, value: 4, periodSeconds: 15 }] }')],
    severity: 'error',
    says: /must be a list of { type: Pods or Percent/,
  },
  {
    mistake: 'a `behavior` with a huge limit',
    in: 'object',
    change: [behavior('{ policies: [{ type: Pods, value: 2147483647, periodSeconds: 15 }] }')],
    severity: 'warning',
    says: /overflow the int32 of the HPA/,
  },
  {
    mistake: '`behavior` in the wrong place',
    in: 'object',
    change: [[max, `${max}  behavior: { scaleUp: { stabilizationWindowSeconds: 0 } }\n`]],
    severity: 'error',
    says: /belongs to advanced.horizontalPodAutoscalerConfig.behavior/,
  },
  {
    mistake: 'two triggers of one metric',
    in: 'object',
    change: [
      [
        threshold,
        `${threshold}${type}      metadata:
        scalerAddress: backlog-scaler.keda:6000
        source: kafka
        connection: orders
        consumerGroup: order-workers
        topic: orders
        lagThreshold: "10"
`,
      ],
    ],
    severity: 'warning',
    says: /measures the same as triggers\[0\]/,
  },
  {
    mistake: '`idleReplicaCount` not below `minReplicaCount`',
    in: 'object',
    change: [[max, `${max}  idleReplicaCount: 1\n  minReplicaCount: 1\n`]],
    severity: 'error',
    says: /must be less than minReplicaCount 1/,
  },
  {
    mistake: 'a minimum above the maximum',
    in: 'object',
    change: [[max, `${max}  minReplicaCount: 30\n`]],
    severity: 'error',
    says: /above maxReplicaCount 20/,
  },
  {
    mistake: '`metricType` below `metadata`',
    in: 'object',
    change: [[threshold, `${threshold}        metricType: AverageValue\n`]],
    severity: 'error',
    says: /belongs beside type/,
  },
  {
    mistake: '`metricType: Value`',
    in: 'object',
    change: [beside('metricType: Value')],
    severity: 'warning',
    says: /multiplies the ready replicas/,
  },
  {
    mistake: 'a ScaledJob of source `github` without `rollout.strategy: gradual`',
    in: 'job',
    change: [['  rollout: { strategy: gradual }\n', '']],
    severity: 'warning',
    says: /deletes all Jobs, with the jobs that run in them/,
  },
  {
    mistake: '`metricType: Value` of a ScaledJob',
    in: 'job',
    change: [['type: external\n', 'type: external\n      metricType: Value\n']],
    severity: 'error',
    says: /creates no Job/,
  },
  {
    mistake: 'a cooldown that never comes',
    in: 'object',
    change: [[max, `${max}  minReplicaCount: 1\n  cooldownPeriod: 60\n`]],
    severity: 'warning',
    says: /never goes below minReplicaCount 1/,
  },
  {
    mistake: 'a polling interval without effect',
    in: 'object',
    change: [[max, `${max}  minReplicaCount: 1\n  pollingInterval: 5\n`]],
    severity: 'warning',
    says: /no effect since KEDA 2.21/,
  },
  {
    mistake: 'polled instead of woken',
    in: 'object',
    change: [['external-push', 'external']],
    severity: 'warning',
    says: /use external-push/,
  },
  {
    mistake: 'a URL as address',
    in: 'object',
    change: [['backlog-scaler.keda:6000', 'http://backlog-scaler.keda:6000']],
    severity: 'error',
    says: /gRPC takes no URL/,
  },
  {
    mistake: 'TLS that is not on',
    in: 'object',
    change: [[threshold, `${threshold}        unsafeSsl: "true"\n`]],
    severity: 'warning',
    says: /does not enable TLS/,
  },
  {
    mistake: 'a name that Kubernetes refuses',
    in: 'object',
    change: [['name: order-workers\n  namespace', 'name: order_workers\n  namespace']],
    severity: 'error',
    says: /metadata.name: is "order_workers", and Kubernetes refuses it/,
  },
];

/** The file with the mistake. */
export function written({ in: kind, change }: RealMistake): string {
  return change.reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`there is no ${JSON.stringify(from)}`);
      return text.replace(from, to);
    },
    kind === 'object' ? rightObject : rightJob,
  );
}
