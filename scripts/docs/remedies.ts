/**
 * What messages mean and what to do, for docs/errors.md. The texts of messages are the code's (`messages.ts`): a row here
 * names them by a pattern, and a message that no row names fails `npm run docs`.
 */
export interface Section {
  readonly title: string;
  readonly intro?: string;
  /** The files below src whose messages these are. */
  readonly files: RegExp;
  readonly rows: readonly Row[];
}

/** `remedy` is left out where the message says what to do. */
export type Row = readonly [messages: RegExp, cause: string, remedy?: string];

export const sections: readonly Section[] = [
  {
    title: 'Triggers that are refused',
    intro:
      'KEDA shows these in an event of the ScaledObject, behind `trigger of NAMESPACE/NAME:`. `/api/triggers` and the log have them too. `backlog-scaler validate` finds them before you deploy.',
    files: /^(triggers\/(?!triggers\.ts|trigger\.ts|nudges)|params\/|grpc\/service)/,
    rows: [
      [/^connection: must be named/, 'Several connections fit the trigger.'],
      [
        /^connection: there is no connection|may use none of source/,
        'No connection of this source lists the namespace.',
        'Add the namespace to `namespaces` of a connection, or add a connection.',
      ],
      [
        /^connection: no connection of source/,
        'The endpoint in the trigger belongs to no connection.',
        'Correct the endpoint, or name the connection in `connection`.',
      ],
      [
        /^connection: … is not configured/,
        'The name is misspelt, or the connection is not in the configuration.',
        'Use one of the names that the message lists.',
      ],
      [
        /^connection: … is of source/,
        'The connection reads another kind of source.',
        'Correct `source` or `connection`.',
      ],
      [
        /may not be used from namespace/,
        'The connection does not list the namespace.',
        'Add the namespace to the `namespaces` of the connection.',
      ],
      [/is not what connection … has/, 'A key of KEDA’s own scaler contradicts the connection.'],
      [/is a secret, and came over gRPC/, 'KEDA resolved a `…FromEnv` key and sent its value in the open.'],
      [/is required \(or …FromEnv\)/, 'A required key is missing or empty.'],
      [
        /unknown key/,
        'The key is misspelt, or belongs to another source.',
        'Use the key that the message suggests. [triggers.md](triggers.md) lists all.',
      ],
      [
        /needs|exclude each other|is for replicaRate/,
        'Two keys contradict each other, or one needs the other.',
      ],
      [
        /^(namespace|name|metadata): has|the scaledObjectRef has no|no scaledObjectRef|is missing from the reference|\(no name\)|\(no namespace\)/,
        'The caller is not KEDA, or its request is larger than Kubernetes allows.',
        'Check which client calls the gRPC port.',
      ],
      [
        /the limit is|members of more/,
        'The value is larger than [triggers.md](triggers.md) allows.',
        'Split the trigger, or use a pattern.',
      ],
      [
        /^(has|must be)/,
        'The value does not have the form that the key takes.',
        'Correct it: [triggers.md](triggers.md) lists each key.',
      ],
      [
        /^maxStalenessSeconds: must be at least/,
        'The connection is read less often than the trigger demands.',
        'Raise `maxStalenessSeconds` to at least the number in the message.',
      ],
      [
        /^replicaRate: learn:/,
        'This source does not show how fast consumers work.',
        'Give `replicaRate` as a number.',
      ],
      [/^source: must be one of/, 'The source is misspelt, or the scaler is older than the source.'],
      [
        /has no metric/,
        'The HPA still has the metric name of the trigger before a change.',
        'Nothing: KEDA corrects the HPA at its next reconcile.',
      ],
      [
        /an RPC failed by a fault of ours/,
        'A bug. The caller got `INTERNAL` with “a fault of the scaler; its log says more”.',
        'Report it, with this line of the log.',
      ],
    ],
  },
  {
    title: 'Readings and limits',
    intro: 'Answers to KEDA while a trigger has no number that it may use.',
    files:
      /^(triggers\/(triggers|trigger|nudges)|subjects\/|grpc\/(?!service|tls|server)|sources\/[^/]+\/connection\.ts|scaling\/|errors)/,
    rows: [
      [
        /nothing has been read yet|is not resolved yet|has no configuration yet/,
        'The first read is under way, or has failed. The rest of the message says which.',
        'Wait some seconds after a start. Then follow the rest of the message.',
      ],
      [
        /the last good reading is/,
        'The source cannot be read, and the last number is too old to use.',
        'Follow the rest of the message. KEDA holds the replicas.',
      ],
      [
        /its number is not known yet/,
        'The source sees work, but has not counted it yet.',
        'Nothing: the next read counts.',
      ],
      [
        /is not open|the read is over|connection did not close/,
        'A reload or a shutdown is closing the connection.',
        'Nothing, unless it stays.',
      ],
      [
        /first sync takes longer/,
        'The source is slow or down. The pod is ready all the same.',
        'Follow the lines of the log about this connection, or raise the setting.',
      ],
      [
        /did not answer in time/,
        'The source took longer than a read may take.',
        'Check the source and the network to it.',
      ],
      [
        /^cannot be read; /,
        'Reads of a source fail. `error` holds the message of the source, `subject` what is read.',
        'Search this page for the text in `error`.',
      ],
      [
        /^a trigger is refused/,
        'KEDA asks for a trigger that has a fault. `error` lists all of them.',
        'Search this page for the text in `error`.',
      ],
      [
        /^limits\./,
        'Triggers have reached a limit. Existing triggers keep working.',
        'Find out who creates so many: `GET /api/triggers`. Then raise the limit.',
      ],
      [
        /streams of this kind are open already/,
        'Somebody opens a hundred streams for one trigger. KEDA opens one of each kind.',
        'Find out who calls the gRPC port, and keep others out with a NetworkPolicy or mTLS.',
      ],
      [
        /open streams|calls are under way|health watches|reflection streams/,
        'Clients hold more streams or calls than the gRPC port allows.',
        'Raise the setting in the message. Check with `backlog_scaler_streams` who needs it.',
      ],
      [
        /allowedClientNames/,
        'The client’s certificate has none of the permitted names.',
        'Add its name to `grpc.tls.allowedClientNames`, or give KEDA the right certificate.',
      ],
      [
        /^HPAs do not look|^KEDA opens no/,
        'KEDA is older than 2.21, or Kubernetes older than 1.37 (or its `HPAGeneration` gate is off).',
        'Upgrade, or [tune the HPA](scaling.md#on-older-clusters).',
      ],
      [
        /^KEDA asks other pods/,
        'Several pods run without a shared event log, or may not use its subjects in NATS.',
        'Set [`eventLog: { type: nats }`](pods.md#set-up).',
      ],
      [/^nudges are answered/, 'Growth was slower for a while, and is not any more.', 'Nothing.'],
      [
        /without a webhook secret/,
        'The connection gets no webhooks, so it learns of jobs by polling.',
        'Set `webhookSecretFile`, or lower `sweepSeconds`.',
      ],
      [
        /events that were kept are still being read/,
        'The event log is being replayed after a start.',
        'Nothing: it takes seconds.',
      ],
      [/the number is known at/, 'Work items may be open from before the first event that is still kept.'],
      [
        /not all open work items are known yet/,
        'The same, as a line of the log.',
        'See the message in `why`.',
      ],
      [
        /more open items than maxItems/,
        'The ledger is full.',
        'Raise `maxItems`, or find out which sender never finishes its items.',
      ],
      [
        /events whose time is more than ttlSeconds ago/,
        'A sender repeats old events, or its clock is wrong.',
        'Correct its clock.',
      ],
    ],
  },
  {
    title: 'Configuration',
    intro:
      'At a start all faults are listed and the process exits with code 2. At a reload the log lists them and the old configuration stays.',
    files: /^(config\/|sources\/[^/]+\/config\.ts|params\/config)/,
    rows: [
      [
        /unknown key/,
        'The key is misspelt, or stands in the wrong section.',
        'Use the key that the message suggests.',
      ],
      [
        /environment variable|a dollar sign/,
        'The file refers to an environment variable that does not exist.',
        'Set the variable (`extraEnv` of the chart), or write `$${` for the characters.',
      ],
      [
        /give … or …, not both|path of a file|paths of files/,
        'A `…File` key is not a path, or the plain key is set too.',
        'Keep one of the two.',
      ],
      [
        /the chart's values|manifests of Kubernetes/,
        'The file is not the configuration, but what Helm takes or prints.',
        'Use the command that the message suggests.',
      ],
      [/TO-BE-FILLED-IN/, '`convert` left a value for you.'],
      [/without TLS/, 'The connection would send a secret in the open.'],
      [/there is no connection of this name/, 'A token names a connection that the file does not have.'],
      [/the configuration could not be reloaded/, 'A bug.', 'Report it, with this line.'],
      [
        /the changed configuration was refused/,
        'A changed file has faults. `faults` lists all of them.',
        '[Runbook](runbooks/BacklogScalerConfigRefused.md).',
      ],
      [
        /need a restart/,
        'The settings in `keys` need a restart.',
        '`kubectl -n keda rollout restart deployment/backlog-scaler`',
      ],
      [/private key/, '`app.privateKeyFile` is not the key that GitHub gave out for the App.'],
      [
        /./,
        'A value does not have the form that its key takes, or keys contradict each other.',
        'Correct it: [configuration.md](configuration.md) lists each key.',
      ],
    ],
  },
  {
    title: 'Start and stop',
    intro: 'The process exits with code 1 where a start fails for one of these.',
    files: /^(grpc\/(tls|server)|admin\/server|cli\/serve|lifecycle)/,
    rows: [
      [
        /cannot listen on/,
        'Another process has the port, or the address is not this machine’s.',
        'Choose another port, or end the other process.',
      ],
      [
        /every namespace may use/,
        'No `namespaces` are written for these connections, so any trigger may read through them.',
      ],
      [
        /namespaces of connections hold only/,
        'gRPC has no mTLS, so anyone who reaches its port can ask as any namespace. Each such start says so.',
        'Keep the chart’s NetworkPolicy, or set mTLS.',
      ],
      [
        /grpc\.tls\.|refused the changed gRPC certificates/,
        'The certificate files cannot be used. At a reload the old ones stay.',
        'Correct the Secret: [runbook](runbooks/BacklogScalerCertificateExpiring.md).',
      ],
      [/a fault of the scaler itself/, 'A bug. The process ends with code 1.', 'Report it, with the log.'],
      [
        /did not stop in time|failed while stopping/,
        'A part did not end within its limit.',
        'Nothing: the process ends all the same.',
      ],
    ],
  },
  {
    title: 'Kafka',
    files: /^sources\/kafka\//,
    rows: [
      [/certificate|TLS/, 'The TLS handshake with the broker fails.'],
      [
        /SASL|login|bearer token|MSK|OAuth/,
        'The broker or token endpoint refuses the credentials of the connection.',
      ],
      [/listener|does not speak Kafka/, 'The port is not the listener that the connection expects.'],
      [
        /is refused to our user|does not exist on the cluster|may see|grant READ|no READ right/,
        'The scaler’s Kafka user lacks a permission, or the name is wrong.',
      ],
      [/fetch\.session/, 'The broker has no room for fetch sessions, so records wake later.'],
      [
        /cannot watch, reading instead|not renew/,
        'The long fetch that wakes at once fails. Reads go on.',
        'Follow the rest of the message.',
      ],
      [
        /host name|no route|does not answer|cannot be reached|refuses the connection|does not accept|closed the connection|no broker answers|was left/,
        'The broker cannot be reached from the pod.',
        'Check `bootstrapServers`, advertised listeners and NetworkPolicy. A broker that is down is the other cause.',
      ],
      [
        /or newer is needed|newer backlog-scaler/,
        'The broker speaks no version of an API that the scaler speaks.',
      ],
      [
        /malformed|Kafka says|Fetch: error|are believed|said nothing|has no leader|no partitions yet|could not be read|has not been read yet|before the read was given up|connection is closed/,
        'The cluster is electing leaders or restarting, or an answer was broken.',
        'Nothing, unless it stays. Then check the brokers’ log.',
      ],
      [
        /commit lies beyond/,
        'The group committed an offset that the log no longer has.',
        'Nothing: [the next read decides](kafka.md#commits-beyond-the-end-of-a-log).',
      ],
      [/throttles us/, 'A quota limits the scaler’s user or client ID.'],
      [
        /topic|[Gg]roup|name|partition|exclude each other|host:port|must be/,
        'A name or key of the trigger cannot be used.',
        'Correct it: [triggers.md](triggers.md#source-kafka).',
      ],
    ],
  },
  {
    title: 'NATS',
    files: /^(outbound\/nats|sources\/nats\/)/,
    rows: [
      [
        /does not let us in|does not allow/,
        'NATS refuses the credentials, or they lack a permission.',
        'Check the credentials of the connection, and the account’s permissions for JetStream.',
      ],
      [/certificate/, 'The TLS handshake with NATS fails.'],
      [
        /no JetStream/,
        'JetStream is off on the server, or for this account or domain.',
        'Enable JetStream for the account, or correct `domain`.',
      ],
      [
        /./,
        'NATS cannot be reached from the pod.',
        'Check `servers`, DNS and NetworkPolicy. A server that is down is the other cause.',
      ],
    ],
  },
  {
    title: 'SQS',
    files: /^sources\/sqs\//,
    rows: [
      [
        /credentials|AWS does not know|signature|signed for|AWS refuses/,
        'AWS does not accept the credentials, or they lack a permission.',
      ],
      [
        /throttles us|AWS fails/,
        'AWS limits the account, or has a fault.',
        'Nothing: the scaler retries. If it stays, raise `idleReadSeconds`.',
      ],
      [/does not exist/, 'The queue is not in this account and region, or was deleted.'],
      [/clock/, 'The node’s clock is wrong.', 'Synchronize it (NTP).'],
      [/queueURL:/, 'The queue belongs to another region or endpoint than the connection.'],
      [
        /host name|no route|does not answer|cannot be reached|refuses the connection|closed the connection|check the connection|given up|certificate/,
        'AWS cannot be reached from the pod.',
        'Check egress, DNS, proxy and VPC endpoints.',
      ],
      [
        /./,
        'What answers is not SQS, or the answer is incomplete.',
        'Check `endpoint`, and proxies on the way.',
      ],
    ],
  },
  {
    title: 'GitHub',
    files: /^sources\/github\//,
    rows: [
      [
        /rate limit|nearly used up/,
        'The App or token has used up its requests. Webhooks still count.',
        '[Runbook](runbooks/BacklogScalerRateLimitLow.md).',
      ],
      [
        /key|token|suspended|not installed|no installation|installationId|refuses us|does not let us read/,
        'The App’s key, installation or permission, or the token, is wrong.',
      ],
      [
        /transferred|does not know|404|shows us no repository|blocked|no list of the runs|is no repository|does not belong|repos:|no list and no event/,
        'The repository is unknown, or the App or token cannot see it.',
        'Correct `repos`, or give the App or token access to it.',
      ],
      [
        /have not been|has not been|cannot be read|cannot reconcile/,
        'The first sync is under way, or has failed. The rest of the message says which.',
        'Follow the rest of the message.',
      ],
      [/ledger is full/, 'More jobs are open than `maxJobs`.'],
      [/sweeps take longer/, 'The owner has more repositories than one sweep can read.'],
      [
        /too many to be read|more than … pages/,
        'GitHub lists more runs than the scaler reads.',
        'Narrow `repos` of the connection.',
      ],
      [/defaultLabels/, 'Two keys contradict each other.'],
      [/a fault of its own/, 'A bug.', 'Report it, with this line.'],
      [/./, 'GitHub cannot be reached, or a proxy answers for it.', 'Check `apiUrl`, egress, DNS and proxy.'],
    ],
  },
  {
    title: 'Several pods, and the event log in NATS',
    files: /^(event-log\/nats\/|pods\/)/,
    rows: [
      [
        /is not ready|does not answer in time/,
        'The server elects a leader, lost its quorum, or is overloaded.',
        'Nothing, if it passes. Else check `nats stream report` and `nats server report jetstream`.',
      ],
      [
        /subscribe|does not allow|may not/,
        'A permission is missing for the user of NATS.',
        'Grant the subjects that [pods.md](pods.md) lists.',
      ],
      [
        /NATS is away|cannot agree|no pod has the lease/,
        'The pods cannot reach NATS.',
        'Check the servers, egress and the credentials. [What works meanwhile](pods.md).',
      ],
      [/was cancelled/, 'The pod ends, or the connection was closed by a reload.', 'Nothing.'],
      [/./, 'NATS refused, or cannot be reached.', 'Check the servers, egress, DNS and the credentials.'],
    ],
  },
  {
    title: 'Events, webhooks and the event log',
    files: /^(ingest\/|event-log\/|sources\/events\/)/,
    rows: [
      [
        /is in use by another process/,
        'The old pod still has the volume.',
        'Wait until it is gone. The chart sets strategy `Recreate` for this.',
      ],
      [
        /is damaged|are not there any more|are lost/,
        'The disk lost data.',
        'Restore the directory from a copy, or move it away. [What is then unknown](events.md#the-event-log).',
      ],
      [
        /cannot be used|cannot be written|refused until|wait for the disk|could not be kept|could not write|cannot write down|cannot be read; trying again/,
        'The volume of the event log is full, read-only, gone or too slow. Senders get 503 and repeat.',
        '[Runbook](runbooks/BacklogScalerIngestUnavailable.md).',
      ],
      [
        /old events could not be removed/,
        'The volume is slow or full.',
        'Nothing, unless it repeats. Then check the volume.',
      ],
      [
        /event log is (closed|not open)|ingest is closing/,
        'The pod is starting or ending.',
        'Nothing: senders repeat.',
      ],
      [/could not be taken/, 'A bug, or an event that the source cannot read.', 'Report it, with this line.'],
      [/cannot listen on/, 'Another process has the port.', 'Choose another `ingest.port`.'],
      [
        /SNS|certificate|cannot be asked|moment ago/,
        'A message of an SNS topic fails verification. It does not wake.',
        'Let the pod reach `sns.REGION.amazonaws.com` by HTTPS. [Set-up](sqs.md#hints).',
      ],
      [
        /webhook was refused/,
        'The secret or the path at the sender does not fit the configuration.',
        '[Runbook](runbooks/BacklogScalerIngestRefused.md).',
      ],
      [
        /./,
        'The event does not have a form that the path takes.',
        'The sender got the answer: [ingest.md](ingest.md#answers).',
      ],
    ],
  },
  {
    title: 'Decisions',
    files: /^decisions\//,
    rows: [
      [
        /cannot be posted|oldest are dropped|do not take|does not take|before the end/,
        'The sink for decisions is slow, down, or refuses them. Scaling is not affected.',
        '[Runbook](runbooks/BacklogScalerDecisionsDropped.md).',
      ],
    ],
  },
  {
    title: 'Commands',
    intro:
      'These end a command with code 2. What `validate` finds in a file is in [validate.md](validate.md#what-it-says).',
    files: /^(cli\/(?!serve)|scaledobjects\/|simulation\/|explain\/)/,
    rows: [
      [/^--admin …/, 'The admin port did not answer, or wants another token. Exit code 3.'],
      [/^--/, 'An option has a value that cannot be used.'],
      [
        /./,
        'The file is not an object of Kubernetes that can be read.',
        'Render templates first. `kubectl apply --dry-run=client -f FILE` shows more.',
      ],
    ],
  },
];
