/**
 * What messages mean and what to do, for docs/errors.md. The texts of messages are the code's (`messages.ts`): a row here
 * names them by a pattern, and a message that no row names fails `npm run docs`.
 */
export interface Section {
  readonly title: string;
  readonly intro?: string;
  /** The files below src whose messages these are. */
  readonly files: RegExp;
  /** Only messages that a row names; others are of the sections below. */
  readonly isOfAll?: boolean;
  readonly rows: readonly Row[];
}

/** `remedy` is left out where the message says what to do. */
export type Row = readonly [messages: RegExp, cause: string, remedy?: string];

export const sections: readonly Section[] = [
  {
    title: 'Network',
    files: /./,
    isOfAll: true,
    rows: [
      [
        /refuses the connection/,
        'Nothing listens at this address.',
        'Start the server, or correct the port.',
      ],
      [
        /has a host name that/,
        'DNS does not know the name, or does not answer.',
        'Correct the name (Kafka: also the advertised listeners), or the pod’s DNS.',
      ],
      [
        /cannot be reached: no route|(?:^(?:broker|NATS at) …|: …|\\(…\\)) does not answer|does not accept the connection/,
        'A NetworkPolicy, firewall or proxy is in the way, or the host is down or overloaded.',
        'Check these, egress and VPC endpoints.',
      ],
      [
        /closed the connection/,
        'The server restarts, or the port expects TLS or a login.',
        'Check `tls` and the login if it stays.',
      ],
    ],
  },
  {
    title: 'Triggers that are refused',
    intro:
      'KEDA shows these in an event of the ScaledObject, behind `trigger of NAMESPACE/NAME:`. `/api/triggers` and the log have them too, and [`validate`](validate.md) before you deploy.',
    files: /^(triggers\/(?!triggers\.ts|trigger\.ts|measurement|limits|followers|nudges|suspicion)|params\/)/,
    rows: [
      [
        /^connection: |may not be used from namespace/,
        'No connection, or several, of this source fit the trigger and its namespace.',
        'Name one that the message lists, add the namespace to its `namespaces`, or add a connection.',
      ],
      [/is not what connection … has/, 'A key of KEDA’s own scaler contradicts the connection.'],
      [/is a secret, and came over gRPC/, 'KEDA resolved a `…FromEnv` key and sent its value in the open.'],
      [
        /^(namespace|name|metadata): has|is missing from the reference|\(no name\)|\(no namespace\)/,
        'The caller is not KEDA, or its request is larger than Kubernetes allows.',
        'Check which client calls the gRPC port.',
      ],
      [
        /^maxStalenessSeconds: must be at least/,
        'The connection is read less often.',
        'Raise it to the number in the message.',
      ],
      [/^source: must be one of/, 'The source is misspelt, or the scaler is older than the source.'],
      [
        /unknown key|is required \(|needs|exclude each other|is for replicaRate|the limit is|members of more|^replicaRate: learn:|^must be/,
        'Keys are unknown, missing or contradictory, or a value has the wrong form or size.',
        '[triggers.md](triggers.md) lists all keys. Split a trigger that is too large.',
      ],
    ],
  },
  {
    title: 'Readings and limits',
    intro: 'Answers to KEDA while a trigger has no number that it may use. KEDA holds the replicas.',
    files:
      /^(triggers\/(triggers|trigger|measurement|limits|followers|nudges|suspicion)|subjects\/|grpc\/(?!tls|server)|sources\/[^/]+\/connection\.ts|scaling\/|errors)/,
    rows: [
      [
        /nothing has been read yet|is not resolved yet|has no configuration yet|the last good reading is/,
        'The first read is under way, or the source cannot be read.',
        'Wait some seconds after a start. Then follow the rest of the message.',
      ],
      [
        /its number is not known yet|events that were kept are still being read/,
        'The source is still counting, or the event log is being replayed.',
        'Nothing: it takes seconds.',
      ],
      [
        /the scaledObjectRef has no|no scaledObjectRef/,
        'The caller is not KEDA.',
        'Check which client calls the gRPC port.',
      ],
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
      [
        /is not open|the read is over|connection did not close/,
        'A reload or a shutdown is closing the connection.',
        'Nothing, unless it stays.',
      ],
      [
        /first sync takes longer|did not answer in time/,
        'The source is slow or down.',
        'Follow the log of this connection; check the source and the network to it.',
      ],
      [
        /^cannot be read; |^a trigger is refused/,
        'A source cannot be read, or KEDA asks for a faulty trigger. `error` has all reasons.',
        'Search this page for them.',
      ],
      [
        /^limits\./,
        'Triggers have reached one of [`limits`](configuration.md#limits). Existing triggers keep working.',
        'Find out who creates so many: `GET /api/triggers`. Then raise the limit.',
      ],
      [
        /streams of this kind are open already|requests of all calls together|headers of a call/,
        'Somebody opens a hundred streams for one trigger, begins requests without an end, or sends large headers. KEDA does not.',
        'Keep others out of the gRPC port with a NetworkPolicy or mTLS.',
      ],
      [
        /open streams|calls are under way|health watches|reflection streams/,
        'Clients hold more streams or calls than the gRPC port allows.',
        'See who needs them in `backlog_scaler_streams`; raise the setting in the message.',
      ],
      [
        /allowedClientNames/,
        'The client’s certificate has none of the permitted names.',
        'Add its name to `grpc.tls.allowedClientNames`, or correct KEDA’s certificate.',
      ],
      [
        /^HPAs do not look|^KEDA opens no|^KEDA asks other pods/,
        'KEDA, Kubernetes or NATS lacks what surges need.',
        '[What you need](scaling.md#what-you-need).',
      ],
      [/^nudges are answered/, 'Surges work again.', 'Nothing.'],
      [
        /without a webhook secret/,
        'The connection gets no webhooks, so it learns of jobs by polling.',
        'Set `webhookSecretFile`, or lower `sweepSeconds`.',
      ],
      [
        /the number is known at|not all open work items are known yet/,
        'Work items may be open from before the first event that is still kept.',
        'The rest of the message, or `why` in the log, says how to avoid it.',
      ],
      [
        /more (open items|items are open) than maxItems/,
        'The ledger is full.',
        'Raise `maxItems`, or find the sender that never finishes its items.',
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
      'A start lists all faults below *The configuration cannot be used* and exits with code 2. A reload logs them, and the old configuration stays.',
    files: /^(config\/|sources\/[^/]+\/config\.ts|params\/config)/,
    rows: [
      [
        /environment variable|a dollar sign/,
        'The file refers to a variable that does not exist.',
        'Set it (`extraEnv` of the chart), or write `$${` for the characters.',
      ],
      [
        /^the file … …/,
        'It does not exist, may not be read, is empty or no UTF-8 text: *does not exist*, *may not be read*, *is empty*.',
        'In a pod: mount its Secret by `secretMounts`, and compare the names of its keys with the path.',
      ],
      [/give … or …, not both/, 'A key and its `…File` are both set.'],
      [
        /the chart's values|manifests of Kubernetes/,
        'The file is not the configuration, but what Helm takes or prints.',
        'Use the command in the message.',
      ],
      [/TO-BE-FILLED-IN/, '`convert` left a value for you.'],
      [/without TLS/, 'The connection would send a secret in the open.'],
      [/there is no connection of this name/, 'A token names a connection that the file does not have.'],
      [/the configuration could not be reloaded/, 'A bug.', 'Report it, with this line.'],
      [
        /the changed configuration was refused/,
        '`faults` lists all faults of the changed file.',
        '[Runbook](runbooks/BacklogScalerConfigRefused.md).',
      ],
      [
        /need a restart/,
        '`keys` lists the settings.',
        '`kubectl -n keda rollout restart deployment/backlog-scaler`',
      ],
      [/private key/, '`app.privateKeyFile` is not the key that GitHub gave out for the App.'],
      [
        /./,
        'A key is unknown, missing or contradicts another, or its value has the wrong form.',
        '[configuration.md](configuration.md) lists all keys.',
      ],
    ],
  },
  {
    title: 'Start and stop',
    intro: 'A start that fails for one of these says *The scaler cannot start* and exits with code 1.',
    files: /^(grpc\/(tls|server)|admin\/server|cli\/serve|lifecycle)/,
    rows: [
      [
        /cannot listen on/,
        'Another process has the port, or the address is not this machine’s.',
        'Choose another port, or end that process.',
      ],
      [/every namespace may use/, 'These connections have no `namespaces`: any trigger may use them.'],
      [
        /namespaces of connections hold only/,
        'Without mTLS, anyone who reaches the gRPC port can ask as any namespace.',
        'Keep the chart’s NetworkPolicy, or set mTLS.',
      ],
      [
        /grpc\.tls\.|refused the changed gRPC certificates/,
        'The certificate files cannot be used. At a reload the old ones stay.',
        '[Runbook](runbooks/BacklogScalerCertificateExpiring.md).',
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
      [/does not speak Kafka/, 'The port is not the listener that the connection expects.'],
      [
        /is refused to the connection's user|does not exist on the cluster|may see|grant READ|no READ right/,
        'The scaler’s Kafka user lacks a permission, or the name is wrong.',
      ],
      [/fetch\.session/, 'The broker has no room for fetch sessions, so records wake later.'],
      [
        /cannot watch, reading instead/,
        'The long fetch that wakes at once fails. Reads go on.',
        'Follow the rest of the message.',
      ],
      [
        /no broker answers/,
        'No broker can be used.',
        'The rest of the message says why: see [Network](#network).',
      ],
      [
        /or newer is needed|newer backlog-scaler/,
        'Broker and scaler have no version of an API in common.',
        'Upgrade the one in the message.',
      ],
      [
        /malformed|Kafka says|Fetch: error|are believed|said nothing|has no leader|no partitions yet|could not be read|has not been read yet|before the read was given up|connection is closed|was left/,
        'The cluster is electing leaders or restarting, or an answer was broken.',
        'Nothing, unless it stays. Then check the brokers’ log.',
      ],
      [
        /commit lies beyond/,
        'The group committed an offset that the log no longer has.',
        'Nothing: [the next read decides](kafka.md#commits-beyond-the-end-of-a-log).',
      ],
      [/throttles the scaler/, 'A quota limits the scaler’s user or client ID.'],
      [
        /topic|[Gg]roup|name|partition|exclude each other|host:port|must be/,
        'A name or key of the trigger cannot be used.',
        '[triggers.md](triggers.md#source-kafka) lists all keys.',
      ],
    ],
  },
  {
    title: 'NATS',
    files: /^(outbound\/nats|sources\/nats\/)/,
    rows: [
      [
        /refuses the login|does not allow|subscribing is not allowed|not heard on its subjects/,
        'NATS refuses the credentials, or they lack a [permission](nats.md#permissions).',
        'Correct the credentials of the connection, or the permissions of its user.',
      ],
      [/certificate/, 'The TLS handshake with NATS fails.'],
      [
        /no JetStream|is not enabled/,
        'JetStream is off on the server, or for this account or domain.',
        'Enable it, or correct `domain` or the credentials.',
      ],
      [
        /has no such/,
        'The stream or consumer does not exist for this account and domain.',
        'Create it, or correct the name.',
      ],
      [
        /has not caught up|is not ready|connected to again|connection is closed/,
        'The server restarts or elects a leader, or a reload closed the connection.',
        'Nothing, unless it stays.',
      ],
      [/must be/, 'The name cannot be one of NATS.'],
      [/./, 'NATS refused the request.', 'Follow the rest of the message.'],
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
        /AWS throttles|AWS fails/,
        'AWS limits the account, or has a fault.',
        'Nothing: the scaler retries. If it stays, raise `idleReadSeconds`.',
      ],
      [/does not exist/, 'The queue is not in this account and region, or was deleted.'],
      [/clock/, 'The node’s clock is wrong.', 'Synchronize it (NTP).'],
      [/queueURL:/, 'The queue belongs to another region or endpoint than the connection.'],
      [/must be/, 'The URL of the queue cannot be used.'],
      [
        /check the connection's region|certificate|given up/,
        'AWS’ endpoint cannot be used from the pod.',
        'Correct `region`; check egress, proxy and VPC endpoints.',
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
        /the App's key|refuses the token|suspended|not installed|no installation|installationId|App's installation|refuses …|does not let the scaler read/,
        'The App’s key, installation or permission, or the token, is wrong.',
      ],
      [
        /transferred|does not know|404|shows no repository|blocked|no list of the runs|is no repository|does not belong|repos:|no list and no event/,
        'The repository is unknown, or the App or token cannot see it.',
        'Correct `repos`, or give the App or token access to it.',
      ],
      [
        /have not been|has not been|cannot be read|cannot reconcile/,
        'The first sync is under way, or has failed.',
        'Follow the rest of the message.',
      ],
      [/ledger is full|more jobs are open than/, 'More jobs are open than `maxJobs`.'],
      [/sweeps take longer/, 'The owner has more repositories than one sweep can read.'],
      [
        /too many to be read|more than … pages/,
        'GitHub lists more runs than the scaler reads.',
        'Narrow `repos` of the connection.',
      ],
      [/defaultLabels/, 'Two keys contradict each other.'],
      [/a fault of its own/, 'A bug.', 'Report it, with this line.'],
      [
        /another pod|was cancelled/,
        'Another pod asks for all and has no answer yet, or a reload closed the connection.',
        'Nothing, unless it stays. All pods need one version.',
      ],
      [/./, 'GitHub has a fault, or a proxy answers for it.', 'Check `apiUrl`, egress and proxy.'],
    ],
  },
  {
    title: 'Several pods, and the event log in NATS',
    files: /^(event-log\/nats\/|pods\/)/,
    rows: [
      [
        /is not ready|has no leader|does not answer in time/,
        'The server elects a leader, lost its quorum, or is overloaded.',
        'Nothing, if it passes. Else check `nats stream report` and, in the system account, `nats server report jetstream`.',
      ],
      [
        /subscribe|does not allow|may not|lacks a permission/,
        'A permission is missing for the user of NATS.',
        'Grant the subjects that [pods.md](pods.md#set-up) lists.',
      ],
      [
        /NATS is away|cannot agree|no pod has the lease|cannot be written|does not take events|no room for more/,
        'The pods cannot reach NATS, or it takes no events.',
        'Check the servers, egress and the credentials. [What works meanwhile](pods.md#when-nats-is-away).',
      ],
      [/was cancelled|is closed/, 'The pod ends, or a reload closed the connection.', 'Nothing.'],
      [/clocks of this pod/, 'A node has a wrong clock.', 'Set it. Readings stay right meanwhile.'],
      [/larger than NATS takes/, 'The event is above `max_payload` or `max_msg_size`.', 'Raise them.'],
      [
        /cannot be used|cannot use its stream|cannot read the events of|other subjects|does not keep|its own limits/,
        'The stream is not one that the scaler made, or lacks a permission.',
        'Follow the rest of the message, or choose another `eventLog.stream`.',
      ],
      [
        /has sent nothing of the event log/,
        'NATS is slow, elects a leader, or the network to it is gone.',
        'Numbers stay as they were meanwhile. Look at NATS if it lasts.',
      ],
      [
        /gives the lease/,
        'The pod does not reach GitHub, or GitHub refuses its login.',
        'Follow the rest of the message. If only one pod logs it, look at its node, egress and secrets.',
      ],
      [
        /./,
        'Events are lost. Numbers of `events` connections may be wrong or unknown for `ttlSeconds`.',
        'Find out what ended the pods or deleted the stream.',
      ],
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
        /is damaged|are lost/,
        'The disk lost data.',
        'Restore the directory from a copy, or move it away. [What is then unknown](events.md#the-event-log).',
      ],
      [/can never be kept/, 'The event is above `max_payload` or `max_msg_size` of NATS.', 'Raise them.'],
      [
        /cannot be used|cannot be written|refused until|wait for the disk|could not be kept|could not write|cannot write its count|cannot be read; trying again|could not be removed/,
        'The volume of the event log is full, read-only, gone or too slow. Senders get 503 and repeat.',
        '[Runbook](runbooks/BacklogScalerIngestUnavailable.md).',
      ],
      [
        /event log is (closed|not open)|ingest is closing/,
        'The pod is starting or ending.',
        'Nothing: senders repeat.',
      ],
      [/could not be taken/, 'A bug, or an event that the source cannot read.', 'Report it, with this line.'],
      [/cannot listen on/, 'Another process has the port.', 'Choose another `ingest.port`.'],
      [
        /maxEventsPerSecond/,
        'A sender has more events than the bound of its connection.',
        'Slow it down, or raise `ingest.maxEventsPerSecond`.',
      ],
      [
        /SNS|certificate|cannot be asked|moment ago/,
        'A message of an SNS topic cannot be verified. It does not wake.',
        'If the message does not say more, let the pod reach `sns.REGION.amazonaws.com` by HTTPS. [Set-up](ingest.md#sns).',
      ],
      [
        /webhook was refused/,
        'The secret or path at the sender does not fit the configuration.',
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
        'The sink is slow, down, or refuses decisions. Scaling is not affected.',
        '[Runbook](runbooks/BacklogScalerDecisionsDropped.md).',
      ],
    ],
  },
  {
    title: 'Commands',
    intro:
      'Exit code 2; 3 for the admin port. What `validate` finds: [validate.md](validate.md#what-it-says).',
    files: /^(cli\/(?!serve)|scaledobjects\/|simulation\/|explain\/)/,
    rows: [
      [/^--admin …/, 'The admin port did not answer, or wants another token.'],
      [/^--/, 'An option has a value that cannot be used.'],
      [
        /./,
        'The file is not an object of Kubernetes that can be read.',
        'Render templates first. `kubectl apply --dry-run=client -f FILE` shows more.',
      ],
    ],
  },
];
