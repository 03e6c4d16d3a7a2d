/**
 * How people write ScaledObjects for KEDA's own scalers. The shapes come from public repositories (samples of blogs,
 * output of charts, Terraform, kubectl's output), rewritten with other names.
 */
export interface PublicShape {
  readonly shape: string;
  readonly yaml: string;
  /** How many of its triggers `convert` rewrites. */
  readonly converted: number;
}

interface Parts {
  readonly kind?: string;
  readonly spec?: string;
  readonly triggers: string;
}

function object({ kind = 'ScaledObject', spec = '', triggers }: Parts): string {
  const target =
    kind === 'ScaledJob' ? '  jobTargetRef: { template: { spec: {} } }' : '  scaleTargetRef:\n    name: app';
  return `apiVersion: keda.sh/v1alpha1\nkind: ${kind}\nmetadata:\n  name: app\n  namespace: team\nspec:\n${target}\n${spec}  triggers:\n${triggers}`;
}

const kafka = `    bootstrapServers: broker.kafka.svc:9092
      consumerGroup: app
      topic: in
      lagThreshold: "5"
`;

export const publicShapes: readonly PublicShape[] = [
  {
    shape: 'list items at the indent of their key',
    converted: 1,
    yaml: object({ triggers: `  - type: kafka\n    metadata:\n  ${kafka}` }),
  },
  {
    shape: 'list items indented',
    converted: 1,
    yaml: object({
      triggers: `    - type: kafka\n      metadata:\n        ${kafka.trim().replaceAll('\n', '\n  ')}\n`,
    }),
  },
  {
    shape: 'comments behind each key',
    converted: 1,
    yaml: object({
      spec: '  pollingInterval: 5 # faster\n  cooldownPeriod:  5 # faster\n',
      triggers:
        '  - type: aws-sqs-queue # the queue\n    authenticationRef:\n      name: creds # by IRSA\n    metadata:\n      # where\n      queueURL: https://sqs.eu-west-1.amazonaws.com/123456789012/in\n      queueLength: "1"  # one a pod\n      awsRegion: eu-west-1\n      identityOwner: operator\n',
    }),
  },
  {
    shape: 'authenticationRef first',
    converted: 1,
    yaml: object({
      triggers:
        '  - authenticationRef:\n      name: creds\n    metadata:\n      queueURL: in\n      awsRegion: us-east-1\n    type: aws-sqs-queue\n',
    }),
  },
  {
    shape: 'an emulator',
    converted: 1,
    yaml: object({
      triggers:
        '  - type: aws-sqs-queue\n    metadata:\n      queueURL: http://localstack:4566/000000000000/in\n      awsEndpoint: http://localstack:4566\n      awsRegion: "us-east-1"\n      identityOwner: operator\n',
    }),
  },
  {
    shape: 'the queue from the environment',
    converted: 1,
    yaml: object({
      triggers:
        '  - type: aws-sqs-queue\n    metadata:\n      queueURLFromEnv: QUEUE_URL\n      awsRegion: us-east-1\n      activationQueueLength: "3"\n',
    }),
  },
  {
    shape: 'keys from the environment',
    converted: 1,
    yaml: object({
      triggers:
        '  - type: aws-sqs-queue\n    metadata:\n      queueURL: in\n      awsRegion: us-east-1\n      awsAccessKeyIDFromEnv: AWS_ACCESS_KEY_ID\n      awsSecretAccessKeyFromEnv: AWS_SECRET_ACCESS_KEY\n',
    }),
  },
  {
    shape: 'several queues',
    converted: 3,
    yaml: object({
      triggers: ['a', 'b', 'c']
        .map(
          (queue) =>
            `  - type: aws-sqs-queue\n    metadata: { queueURL: ${queue}, awsRegion: eu-west-1, queueLength: "10" }\n    authenticationRef: { name: creds }\n`,
        )
        .join(''),
    }),
  },
  {
    shape: 'beside cpu and cron',
    converted: 1,
    yaml: object({
      spec: '  minReplicaCount: 1\n',
      triggers: `  - type: cpu\n    metricType: Utilization\n    metadata:\n      value: "70"\n  - type: cron\n    metadata: { timezone: Etc/UTC, start: 0 8 * * *, end: 0 18 * * *, desiredReplicas: "3" }\n  - type: kafka\n    metadata:\n  ${kafka}`,
    }),
  },
  {
    shape: 'SCRAM and TLS, with the authentication behind it',
    converted: 1,
    yaml: `${object({ triggers: `  - type: kafka\n    metadata:\n  ${kafka}      sasl: scram_sha512\n      tls: enable\n      version: 3.6.0\n    authenticationRef:\n      name: login\n` })}---\napiVersion: keda.sh/v1alpha1\nkind: TriggerAuthentication\nmetadata:\n  name: login\n  namespace: team\nspec:\n  secretTargetRef:\n  - parameter: username\n    name: kafka\n    key: user\n  - parameter: password\n    name: kafka\n    key: password\n`,
  },
  {
    shape: 'sasl and tls out of the Secret, for the whole cluster',
    converted: 1,
    yaml: `apiVersion: keda.sh/v1alpha1\nkind: ClusterTriggerAuthentication\nmetadata:\n  name: login\nspec:\n  secretTargetRef:\n    - { parameter: sasl, name: kafka, key: sasl }\n    - { parameter: username, name: kafka, key: user }\n    - { parameter: password, name: kafka, key: password }\n    - { parameter: tls, name: kafka, key: tls }\n---\n${object({ triggers: `  - type: kafka\n    metadata:\n  ${kafka}    authenticationRef:\n      kind: ClusterTriggerAuthentication\n      name: login\n` })}`,
  },
  {
    shape: 'Confluent Cloud',
    converted: 1,
    yaml: object({
      spec: '  pollingInterval: 15\n  cooldownPeriod: 30\n  maxReplicaCount: 10\n',
      triggers: `  - type: kafka\n    metadata:\n  ${kafka}      offsetResetPolicy: latest\n      allowIdleConsumers: "true"\n      scaleToZeroOnInvalidOffset: "false"\n      sasl: plaintext\n      tls: enable\n    authenticationRef:\n      name: cloud\n`,
    }),
  },
  {
    shape: 'MSK with IAM',
    converted: 1,
    yaml: object({
      triggers: `  - type: apache-kafka\n    metadata:\n  ${kafka}      sasl: aws_msk_iam\n      tls: enable\n      awsRegion: eu-west-1\n    authenticationRef:\n      name: pod\n`,
    }),
  },
  {
    shape: 'Kerberos, which there is not',
    converted: 0,
    yaml: object({
      triggers: `  - type: kafka\n    metadata:\n  ${kafka}      sasl: gssapi\n    authenticationRef:\n      name: kerberos\n`,
    }),
  },
  {
    shape: "KEDA 1's brokerList",
    converted: 1,
    yaml: object({
      triggers:
        '  - type: kafka\n    metadata:\n      brokerList: broker:9092\n      bootstrapServers: broker:9092\n      consumerGroup: app\n      topic: in\n',
    }),
  },
  {
    shape: "JSON, as Terraform's kubectl_manifest has it",
    converted: 1,
    yaml: `${JSON.stringify({ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata: { name: 'app' }, spec: { scaleTargetRef: { name: 'app' }, maxReplicaCount: 9, triggers: [{ metadata: { bootstrapServers: 'b:9092', consumerGroup: 'g', lagThreshold: '5', topic: 't' }, type: 'kafka', authenticationRef: { name: 'a' } }] } }, undefined, 2)}\n`,
  },
  {
    shape: 'what kubectl prints of many',
    converted: 2,
    yaml: `apiVersion: v1\nitems:\n${[1, 2].map((i) => `- apiVersion: keda.sh/v1alpha1\n  kind: ScaledObject\n  metadata:\n    annotations:\n      kubectl.kubernetes.io/last-applied-configuration: |\n        {"kind":"ScaledObject"}\n    generation: 4\n    name: app-${i}\n    namespace: team\n  spec:\n    scaleTargetRef:\n      name: app-${i}\n    triggers:\n    - metadata:\n        awsRegion: eu-west-1\n        queueURL: q${i}\n      type: aws-sqs-queue\n  status:\n    externalMetricNames:\n    - s0-aws-sqs-q${i}\n`).join('')}kind: List\nmetadata:\n  resourceVersion: ""\n`,
  },
  {
    shape: 'runners as Jobs, with a token',
    converted: 1,
    yaml: object({
      kind: 'ScaledJob',
      spec: '  pollingInterval: 20\n  scalingStrategy:\n    strategy: default\n',
      triggers:
        '  - type: github-runner\n    metadata:\n      githubApiURL: "https://api.github.com"\n      owner: "acme"\n      runnerScope: "repo"\n      repos: "web,api"\n      labels: "gpu"\n      targetWorkflowQueueLength: "1"\n    authenticationRef:\n      name: token\n',
    }),
  },
  {
    shape: 'runners of an App, everything from the environment',
    converted: 1,
    yaml: object({
      kind: 'ScaledJob',
      triggers:
        '    - type: github-runner\n      metadata:\n        ownerFromEnv: OWNER\n        runnerScopeFromEnv: SCOPE\n        applicationIDFromEnv: APP_ID\n        installationIDFromEnv: INSTALLATION\n        labelsFromEnv: LABELS\n      authenticationRef: {name: app}\n',
    }),
  },
  {
    shape: 'anchors for what is the same',
    converted: 1,
    yaml: object({
      triggers:
        '  - type: kafka\n    metadata: &first\n      bootstrapServers: b:9092\n      consumerGroup: g\n      topic: one\n  - type: cron\n    metadata: *first\n',
    }),
  },
  {
    shape: 'useCachedMetrics and Windows line ends',
    converted: 1,
    yaml: object({
      triggers: `  - type: kafka\n    useCachedMetrics: true\n    metadata:\n  ${kafka}`,
    }).replaceAll('\n', '\r\n'),
  },
  {
    shape: 'a consumer of NATS, by its account and the monitoring port',
    converted: 1,
    yaml: object({
      triggers:
        '  - type: nats-jetstream\n    metadata:\n      natsServerMonitoringEndpoint: "nats.nats.svc.cluster.local:8222"\n      account: "SHOP"\n      stream: "orders"\n      consumer: "worker"\n      lagThreshold: "10"\n      activationLagThreshold: "15"\n      useHttps: "false"\n',
    }),
  },
];
