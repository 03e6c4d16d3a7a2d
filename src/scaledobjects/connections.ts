import { splitList } from '../params/schema.ts';
import { quote } from '../printable.ts';
import type { AnySource } from '../sources/source.ts';
import { type ConnectionSecret, secretFor } from './connection-secret.ts';
import { identityOf, type Login, type Placed, textOfIdentity } from './logins.ts';
import type { TriggerAuthentication } from './read.ts';
import type { TriggerEntry } from './scaled-resource.ts';

/** An entry of `connections:` to configure, as far as the triggers say it. */
export interface ConnectionEntry extends ConnectionSecret {
  readonly name: string;
  /** Its YAML, two spaces in, with comments on what is to be filled in. */
  readonly lines: readonly string[];
  /** Whether it is filled by webhooks. */
  readonly isSentWebhooks: boolean;
}

/** What triggers say of one connection. */
export interface Place {
  readonly source: AnySource;
  readonly metadata: Readonly<Record<string, string>>;
  readonly namespaces: Set<string>;
  readonly logins: Map<string, readonly Login[] | undefined>;
  readonly name: string;
}

/** The keys that say where a connection measures. */
const placeKeys: Readonly<Record<string, readonly string[]>> = {
  kafka: ['bootstrapServers', 'sasl', 'tls', 'saslTokenProvider', 'awsRegion', 'unsafeSsl'],
  sqs: ['awsRegion', 'awsEndpoint', 'awsRoleArn'],
  github: ['owner', 'runnerScope', 'githubApiURL', 'applicationID', 'installationID'],
  nats: ['natsServerMonitoringEndpoint', 'account', 'accountID'],
};

/** What its connection may lack, or have wrong, because of how the trigger logged in. */
export function* doubtsOf(
  placed: Placed,
  authentication: TriggerAuthentication | undefined,
  logins: readonly Login[],
): Iterable<string> {
  const { source, entry } = placed;
  const { authenticationRef: ref, metadata } = entry;
  if (ref !== undefined && authentication === undefined) {
    yield `${ref.kind} ${ref.name} is not in these files, so its login and its TLS settings are missing from the connection: give its file too, or add them to the connection`;
  }
  if (authentication === undefined) return;
  const left = identityLeft(placed, authentication);
  if (left !== undefined) yield left;
  const login = logins.find(({ parameter }) => parameter === 'tls');
  const isKnown = login === undefined || login.value !== undefined;
  if (source.kind === 'kafka' && !isKnown && metadata['tls'] !== 'enable' && !isMsk(metadata)) {
    yield `tls: its value is only in ${login.from}, which is not in these files, so the connection was given TLS: remove tls from it if the value is "disable"`;
  }
  const unused = logins.find(({ parameter }) => tlsParameters.includes(parameter));
  if (source.kind === 'kafka' && unused !== undefined && !hasTls(metadata, logins)) {
    yield `${unused.parameter}: KEDA uses it only with tls: enable, so the connection got no TLS: if the brokers use TLS, write tls: { caFile: … } into it`;
  }
}

const tlsParameters: readonly string[] = ['ca', 'cert', 'key'];

/** Also where only a Secret knows it, that is not given. */
function hasTls(metadata: TriggerEntry['metadata'], logins: readonly Login[]): boolean {
  const login = logins.find(({ parameter }) => parameter === 'tls');
  const isSaid = login !== undefined && login.value?.trim() !== 'disable';
  return metadata['tls'] === 'enable' || isMsk(metadata) || isSaid;
}

/** What a `podIdentity` gave the trigger in KEDA, and the connection cannot have; undefined where nothing is lost. */
function identityLeft({ source, entry }: Placed, { spec }: TriggerAuthentication): string | undefined {
  const identity = identityOf(spec);
  if (identity === undefined) return undefined;
  const { provider, roleArn, identityOwner } = identity;
  const says = `${textOfIdentity(identity)} does not carry over`;
  const usesAws = source.kind === 'sqs' || (source.kind === 'kafka' && isMsk(entry.metadata));
  if (!usesAws || !provider.startsWith('aws'))
    return `${says}: a connection of source ${source.kind} has no such login; write its own into it`;
  const account = "the scaler's ServiceAccount needs";
  if (roleArn !== undefined) {
    // sqs assumes it.
    if (source.kind === 'sqs') return undefined;
    return `${says}: a connection of source kafka assumes no role; ${account} this one`;
  }
  // aws-eks is KEDA's older way to the role of the workload's ServiceAccount.
  const isWorkloads = identityOwner === 'workload' || provider === 'aws-eks';
  return `${says}: ${account} the role that ${isWorkloads ? "the workload's ServiceAccount" : "KEDA's operator"} has`;
}

/** Finds or adds the connection of a trigger. */
export function placeOf(
  places: Map<string, Place>,
  { source, entry, namespace }: Placed,
  logins: readonly Login[] | undefined,
): Place {
  const keys = placeKeys[source.kind] ?? [];
  const said = keys.flatMap((key) =>
    [key, `${key}FromEnv`].flatMap((one): [string, string][] => {
      const value = entry.metadata[one]?.trim();
      return value ? [[one, value]] : [];
    }),
  );
  const ref = entry.authenticationRef;
  const key = JSON.stringify([source.kind, said, ref, ref?.kind === 'TriggerAuthentication' && namespace]);
  const place = places.get(key) ?? {
    source,
    metadata: Object.fromEntries(said),
    namespaces: new Set<string>(),
    logins: new Map<string, readonly Login[] | undefined>(),
    name: unusedName(nameFor(source.kind, entry), [...places.values()]),
  };
  places.set(key, place);
  place.namespaces.add(namespace);
  if (ref === undefined) return place;
  const login = `${ref.kind} ${ref.name}`;
  place.logins.set(login, logins ?? place.logins.get(login));
  return place;
}

/** Whether the scaler could take this connection for a trigger of another, which names none; triggers/select-connection.ts. */
export function mayFit(connection: Place, of: Place, namespace: string): boolean {
  if (connection === of) return true;
  const { source, namespaces, metadata } = connection;
  if (source.kind !== of.source.kind) return false;
  // Without a name it may be any.
  if (![...namespaces].some((one) => one === namespace || one === '' || namespace === '')) return false;
  return Object.entries(of.metadata).every(([key, value]) => {
    const other = metadata[key];
    return !source.connectionKeys[key]?.selects || other === undefined || overlap(value, other);
  });
}

/** Of brokers one in common is enough; spellings of one address or owner are the same. */
function overlap(a: string, b: string): boolean {
  const parts = (text: string): string[] =>
    splitList(text).map((one) => one.toLowerCase().replace(/\/+$/, ''));
  const others = new Set(parts(b));
  return parts(a).some((one) => others.has(one));
}

/** One from which people see what it is: with a role the account, since two of one region differ in nothing else. */
function nameFor(kind: string, { metadata, authenticationRef }: TriggerEntry): string {
  const [, account] = /^arn:[\w-]+:iam::(\d+):/.exec(metadata['awsRoleArn'] ?? '') ?? [];
  const region = [metadata['awsRegion'] ?? kind, account].filter(Boolean).join('-');
  const from = kind === 'github' ? metadata['owner'] : kind === 'sqs' ? region : authenticationRef?.name;
  const slug = `${from ?? kind}`.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-');
  return slug === '' ? kind : slug.slice(0, 40);
}

function unusedName(wanted: string, places: readonly Place[]): string {
  const taken = new Set(places.map(({ name }) => name));
  for (let i = 1; ; i += 1) {
    const name = i === 1 ? wanted : `${wanted}-${i}`;
    if (!taken.has(name)) return name;
  }
}

export function entriesOf(places: readonly Place[], scalerNamespace: string): ConnectionEntry[] {
  return places.map((place) => {
    const settings = settingsOf(place);
    return {
      name: place.name,
      lines: [
        `  ${place.name}:`,
        `    source: ${place.source.kind}`,
        ...settings.map((line) => `    ${line}`),
        `    namespaces: [${[...place.namespaces].map((one) => (one === '' ? 'TO-BE-FILLED-IN' : one)).join(', ')}]`,
        ...[...place.logins].flatMap(([name, logins]) =>
          loginComments(name, logins).map((line) => `    # ${line}`),
        ),
      ],
      isSentWebhooks: place.source.webhooks !== undefined,
      ...secretFor({ name: place.name, settings, logins: loginsAt(place), scalerNamespace }),
    };
  });
}

function loginComments(name: string, logins: readonly Login[] | undefined): string[] {
  if (logins === undefined)
    return [`${name} is not in these files: convert them with it, or write its login and TLS here.`];
  return logins.map(({ parameter, from }) => `${parameter}: ${from} (${name})`);
}

/** Whether the trigger has a login that is not in the given files. */
function lacksLogin({ logins }: Place): boolean {
  return [...logins.values()].includes(undefined);
}

function loginsAt({ logins }: Place): readonly Login[] {
  return [...logins.values()].flatMap((all) => all ?? []);
}

function settingsOf(place: Place): string[] {
  switch (place.source.kind) {
    case 'kafka':
      return kafkaSettings(place);
    case 'sqs':
      return sqsSettings(place);
    case 'nats':
      return natsSettings(place);
    default:
      return githubSettings(place);
  }
}

/** Text that YAML takes as it is, or in quotes. */
function scalar(text: string): string {
  return /^[A-Za-z][\w./:@-]*$/.test(text) && !/: |:$/.test(text) ? text : JSON.stringify(text);
}

function mounted(name: string, file: string): string {
  return `/etc/backlog-scaler-${name}/${file}`;
}

/** A setting that a trigger has, or what is to be filled in: of a variable only the workload knows the value. */
function settingOr({ metadata }: Place, key: string, otherwise: string): string {
  const value = metadata[key];
  if (value !== undefined) return scalar(value);
  const variable = metadata[`${key}FromEnv`];
  return variable === undefined
    ? otherwise
    : `TO-BE-FILLED-IN # ${key}: the variable ${variable} of the workload`;
}

/** KEDA's spellings and ours. */
const mechanisms: Readonly<Record<string, string>> = {
  plaintext: 'plain',
  scram_sha256: 'scram-sha-256',
  scram_sha512: 'scram-sha-512',
};

function kafkaSettings(place: Place): string[] {
  const { metadata, name } = place;
  const servers = metadata['bootstrapServers'];
  const lines = [
    servers === undefined
      ? `bootstrapServers: ${settingOr(place, 'bootstrapServers', 'TO-BE-FILLED-IN')}`
      : `bootstrapServers: [${splitList(servers).map(scalar).join(', ')}]`,
  ];
  const logins = loginsAt(place);
  const parameters = new Set(logins.map(({ parameter }) => parameter));
  const valueAt = (key: string): string | undefined =>
    logins.find(({ parameter }) => parameter === key)?.value?.trim();
  const kedaSasl = valueAt('sasl') ?? metadata['sasl'] ?? 'none';
  const username = valueAt('username');
  const isIam = isMsk(metadata);
  if (lacksLogin(place) && metadata['sasl'] === 'none') {
    lines.push('tls: TO-BE-FILLED-IN # true, or its files');
  } else if (hasTls(metadata, logins)) {
    const tls = [
      ...(parameters.has('ca') ? [`caFile: ${mounted(name, 'ca.crt')}`] : []),
      ...(parameters.has('cert')
        ? [`certFile: ${mounted(name, 'tls.crt')}`, `keyFile: ${mounted(name, 'tls.key')}`]
        : []),
      ...(parameters.has('keyPassword') ? [`keyPasswordFile: ${mounted(name, 'key-password')}`] : []),
      ...(/^(1|t|true)$/i.test(metadata['unsafeSsl'] ?? '') ? ['insecureSkipVerify: true'] : []),
    ];
    lines.push(tls.length === 0 ? 'tls: true' : `tls: { ${tls.join(', ')} }`);
  }
  // Where the Secret has it, only who may read that knows it.
  const inSecret =
    !Object.hasOwn(mechanisms, kedaSasl) &&
    valueAt('sasl') !== 'none' &&
    kedaSasl !== 'oauthbearer' &&
    (parameters.has('sasl') ||
      (kedaSasl === 'none' && parameters.has('username')) ||
      (metadata['sasl'] === undefined && lacksLogin(place)));
  const mechanism = inSecret
    ? `TO-BE-FILLED-IN # ${Object.values(mechanisms).join(', ')} (KEDA's ${Object.keys(mechanisms).join(', ')})`
    : mechanisms[kedaSasl];
  if (isIam) {
    lines.push(
      `sasl: { mechanism: aws-msk-iam, region: ${settingOr(place, 'awsRegion', 'TO-BE-FILLED-IN')} }`,
    );
  } else if (mechanism !== undefined) {
    lines.push(
      'sasl:',
      `  mechanism: ${mechanism}`,
      `  username: ${username === undefined ? 'TO-BE-FILLED-IN' : scalar(username)}`,
      `  passwordFile: ${mounted(name, 'password')}`,
    );
  } else if (kedaSasl === 'oauthbearer') {
    lines.push(
      'sasl:',
      '  mechanism: oauthbearer',
      '  tokenEndpoint: https://TO-BE-FILLED-IN',
      `  clientId: ${username === undefined ? 'TO-BE-FILLED-IN' : scalar(username)}`,
      `  clientSecretFile: ${mounted(name, 'client-secret')}`,
    );
  }
  return lines;
}

function isMsk(metadata: Readonly<Record<string, string>>): boolean {
  return metadata['sasl'] === 'aws_msk_iam' || metadata['saslTokenProvider'] === 'aws_msk_iam';
}

function sqsSettings(place: Place): string[] {
  const { metadata } = place;
  const assumed = loginsAt(place).flatMap(({ roleArn }) => (roleArn === undefined ? [] : [roleArn]));
  const roleArn = metadata['awsRoleArn'] ?? assumed[0];
  const parameters = new Set(loginsAt(place).map(({ parameter }) => parameter));
  const files = Object.entries(accessKey).filter(([parameter]) => parameters.has(parameter));
  const credentials = lacksLogin(place)
    ? 'TO-BE-FILLED-IN # none with a role of the ServiceAccount'
    : `{ ${files.map(([, [key, file]]) => `${key}: ${mounted(place.name, file)}`).join(', ')} }`;
  return [
    `region: ${settingOr(place, 'awsRegion', 'TO-BE-FILLED-IN')}`,
    ...(metadata['awsEndpoint'] === undefined ? [] : [`endpoint: ${scalar(metadata['awsEndpoint'])}`]),
    ...(roleArn === undefined ? [] : [`roleArn: ${scalar(roleArn)}`]),
    ...(files.length > 0 || lacksLogin(place) ? [`credentials: ${credentials}`] : []),
  ];
}

/** KEDA's parameters, with our key and its file. */
const accessKey: Readonly<Record<string, readonly [key: string, file: string]>> = {
  awsAccessKeyID: ['accessKeyIdFile', 'access-key-id'],
  awsSecretAccessKey: ['secretAccessKeyFile', 'secret-access-key'],
  awsSessionToken: ['sessionTokenFile', 'session-token'],
};

/** The monitoring port shows no login. Clients connect to the same host, on another port. */
function natsSettings(place: Place): string[] {
  const { metadata } = place;
  const endpoint = metadata['natsServerMonitoringEndpoint'];
  const host = endpoint?.replace(/:\d+$/, '');
  const account = metadata['account'];
  return [
    host === undefined
      ? `servers: ${settingOr(place, 'natsServerMonitoringEndpoint', 'TO-BE-FILLED-IN')}`
      : `servers: [${scalar(`nats://${host}:4222`)}] # port 4222 is usual for clients`,
    ...(account === undefined || account === '$G'
      ? []
      : [`credentialsFile: ${mounted(place.name, 'user.creds')} # of a user of account ${quote(account)}`]),
  ];
}

function githubSettings(place: Place): string[] {
  const { metadata, name } = place;
  const scope = metadata['runnerScope'];
  const app = [
    `id: ${settingOr(place, 'applicationID', 'TO-BE-FILLED-IN').replaceAll('"', '')}`,
    ...(metadata['installationID'] === undefined ? [] : [`installationId: ${metadata['installationID']}`]),
    `privateKeyFile: ${mounted(name, 'private-key.pem')}`,
  ];
  const usesApp = metadata['applicationID'] !== undefined || metadata['applicationIDFromEnv'] !== undefined;
  return [
    `owner: ${settingOr(place, 'owner', 'TO-BE-FILLED-IN')}`,
    ...(scope === undefined || scope === 'org' ? [] : [`scope: ${scalar(scope)}`]),
    ...(metadata['githubApiURL'] === undefined ? [] : [`apiUrl: ${scalar(metadata['githubApiURL'])}`]),
    ...(usesApp ? ['app:', ...app.map((line) => `  ${line}`)] : [`tokenFile: ${mounted(name, 'token')}`]),
    `webhookSecretFile: ${mounted(name, 'webhook-secret')}`,
  ];
}
