import { isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import { splitList } from '../params/schema.ts';
import { quote } from '../printable.ts';
import type { AnySource } from '../sources/source.ts';
import { readReference } from '../triggers/resolve.ts';
import {
  type Fault,
  mapping,
  pairOf,
  readScaledResources,
  type ScaledResource,
  type TriggerAuthentication,
  type TriggerEntry,
} from './read.ts';
import type { Input } from './validate.ts';

/** KEDA's scalers that are converted, and the source that does their work here. */
export const builtIns: Readonly<Record<string, string>> = {
  kafka: 'kafka',
  'apache-kafka': 'kafka',
  'aws-sqs-queue': 'sqs',
  'github-runner': 'github',
  'nats-jetstream': 'nats',
};

/** An entry of `connections:` to configure, as far as the triggers say it. */
export interface ConnectionEntry {
  readonly name: string;
  /** Its YAML, two spaces in, with comments on what is to be filled in. */
  readonly lines: readonly string[];
}

export interface ConvertedFile {
  readonly file: string;
  /** The text, in which only what had to be is another. */
  readonly text: string;
  readonly triggers: number;
  /** What cannot be converted, or needs a check. An error is an unchanged trigger. */
  readonly notes: readonly Fault[];
  /** What is wrong with the text itself. */
  readonly faults: readonly Fault[];
}

export interface ConvertSettings {
  readonly sources: readonly AnySource[];
  /** What becomes `scalerAddress`. */
  readonly scalerAddress: string;
  /** The namespace of objects without one. */
  readonly namespace: string;
}

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * Makes the triggers of KEDA's own scalers this scaler's, and the connections that all of them need. Beside them, what the
 * API server writes into an object is taken out. All else stays as it is, byte for byte; a text that was converted stays as it is altogether. Pure.
 */
export function convertInputs(
  inputs: readonly Input[],
  settings: ConvertSettings,
): { files: readonly ConvertedFile[]; connections: readonly ConnectionEntry[] } {
  const places = new Map<string, Place>();
  const drafts = inputs.map((input) => draftOf(input, settings, places));
  const all = [...places.values()];
  const files = drafts.map(({ file, text, notes, faults, edits, converted }): ConvertedFile => {
    const heads = converted.map(({ metadata, place, namespace }) => {
      const { source, name } = place;
      const named = all.filter((one) => mayFit(one, place, namespace)).length > 1;
      return insertion(text, metadata, [
        ['scalerAddress', settings.scalerAddress],
        ['source', source.kind],
        ...(named ? [['connection', name] as const] : []),
      ]);
    });
    return {
      file,
      text: applied(text, [...heads, ...edits]),
      triggers: converted.length,
      notes: notes.toSorted((a, b) => a.line - b.line),
      faults,
    };
  });
  return { files, connections: entriesOf(all) };
}

/** A file before the connections of all files are known: they decide which trigger has to name its own. */
interface Draft extends Input {
  readonly edits: readonly Edit[];
  readonly converted: readonly {
    readonly metadata: YAMLMap;
    readonly place: Place;
    readonly namespace: string;
  }[];
  readonly notes: readonly Fault[];
  readonly faults: readonly Fault[];
}

function draftOf({ text, file }: Input, settings: ConvertSettings, places: Map<string, Place>): Draft {
  const { resources, authentications, faults } = readScaledResources(text, file);
  const edits: Edit[] = [];
  const converted: Draft['converted'][number][] = [];
  const notes: Fault[] = [];
  for (const resource of resources) {
    for (const [index, entry] of resource.triggers.entries()) {
      const kind = Object.hasOwn(builtIns, entry.type) ? builtIns[entry.type] : undefined;
      const source = settings.sources.find((one) => one.kind === kind);
      if (source === undefined) continue;
      const where = `${resource.kind} ${resource.namespace === '' ? '' : `${resource.namespace}/`}${resource.name}, triggers[${index}]`;
      const note = (key: string, message: string, severity: Fault['severity'] = 'warning'): void => {
        notes.push({ file, line: entry.lineOf(key), where, message, severity });
      };
      const made = convertTrigger(text, { resource, entry, source }, settings, note);
      if (made === undefined) continue;
      edits.push(...made.edits);
      const namespace = resource.namespace || settings.namespace;
      const placed = { source, entry, namespace };
      const authentication = authenticationOf(placed, authentications);
      const left = authentication && identityLeft(placed, authentication);
      if (left !== undefined) note('authenticationRef', left);
      const place = placeOf(places, placed, authentication);
      converted.push({ metadata: made.metadata, place, namespace });
    }
  }
  const objects = converted.length === 0 ? [] : [...resources, ...authentications];
  for (const { node } of objects) edits.push(...withoutServersPart(text, node));
  return { file, text, edits, converted, notes, faults };
}

const serversMetadata = ['resourceVersion', 'uid', 'generation', 'creationTimestamp', 'managedFields'];

/** Takes out what only the API server writes: with it an object of `kubectl get -o yaml` cannot be applied for long. */
function* withoutServersPart(text: string, node: Node): Generator<Edit> {
  if (!isMap(node)) return;
  const metadata = pairOf(node, 'metadata')?.value;
  const gone = (holder: YAMLMap, keys: readonly string[]): ReadonlySet<Pair> =>
    new Set(keys.map((key) => pairOf(holder, key)).filter((pair) => pair !== undefined));
  if (isMap(metadata)) yield* removals(text, metadata, gone(metadata, serversMetadata));
  yield* removals(text, node, gone(node, ['status']));
}

interface BuiltIn {
  readonly resource: ScaledResource;
  readonly entry: TriggerEntry;
  readonly source: AnySource;
}

type Note = (key: string, message: string, severity?: Fault['severity']) => void;

/** The edits, all but the new keys of its metadata; undefined where the trigger has to stay as it is, and why is noted. */
function convertTrigger(
  text: string,
  { resource, entry, source }: BuiltIn,
  settings: ConvertSettings,
  note: Note,
): { edits: Edit[]; metadata: YAMLMap } | undefined {
  const stay = (key: string, why: string): undefined => {
    note(key, `stays as it is: ${why}`, 'error');
    return undefined;
  };
  const { node } = entry;
  const type = pairOf(node, 'type')?.value;
  const metadataPair = pairOf(node, 'metadata');
  const metadata = metadataPair?.value;
  if (!isMap(node) || !isScalar(type) || !type.range) return stay('type', 'it is written by an alias');
  if (!isMap(metadata) || metadata.items.length === 0)
    return stay('metadata', 'its metadata is empty, or written by an alias');
  if (entry.metadata['sasl'] === 'gssapi') return stay('sasl', 'there is no Kerberos (sasl: gssapi)');

  const type_ = resource.kind === 'ScaledJob' ? 'external' : 'external-push';
  const edits: Edit[] = [
    { from: type.range[0], to: type.range[1], text: likeScalar(text, type.range, type_) },
  ];
  const kept: Record<string, string> = { ...entry.metadata };
  const gone = new Set<Pair>();
  const remove = (holder: YAMLMap, key: string, why: string): void => {
    const pair = pairOf(holder, key);
    if (pair === undefined) return;
    gone.add(pair);
    note(key, `${key}: is taken out: ${why}`);
  };
  const said = readReference(
    { namespace: 'default', name: 'x', metadata: { ...kept, source: source.kind } },
    { sources: settings.sources, refuseSecretsFromEnv: false },
    { asWritten: true },
  );
  for (const key of Object.keys(kept)) {
    const plain = key.replace(/FromEnv$/, '');
    if (source.connectionKeys[plain]?.secret) {
      remove(metadata, key, 'a secret, which belongs to the connection');
      delete kept[key];
    } else if (said.faults.some((fault) => fault.startsWith(`"${key}": unknown key`))) {
      remove(metadata, key, `the source ${source.kind} has no such key`);
      delete kept[key];
    }
  }
  if (entry.authenticationRef !== undefined) {
    remove(node, 'authenticationRef', 'credentials belong to the connection');
  }
  if (entry.useCachedMetrics !== undefined) {
    remove(node, 'useCachedMetrics', 'after a push the HPA would get the zero of the last poll');
  }
  edits.push(...removals(text, metadata, gone), ...removals(text, node, gone));
  const after = readReference(
    { namespace: 'default', name: 'x', metadata: { ...kept, source: source.kind } },
    { sources: settings.sources, refuseSecretsFromEnv: false },
    { asWritten: true },
  );
  for (const fault of after.faults) note(/^"?([\w.]+)/.exec(fault)?.[1] ?? '', fault);
  if (resource.kind === 'ScaledJob' && (resource.spec.pollingInterval ?? 30) > 1) {
    note(
      'type',
      'pollingInterval: Jobs are only created at polls: set 1, a poll costs the source nothing now',
    );
  }
  return { edits, metadata };
}

/** In the quotes that the old value has. */
function likeScalar(text: string, [from]: readonly [number, number, number], value: string): string {
  const mark = text[from];
  return mark === '"' || mark === "'" ? `${mark}${value}${mark}` : value;
}

/** New keys in front of the first, in the way the mapping is written. */
function insertion(text: string, map: YAMLMap, entries: readonly (readonly [string, string])[]): Edit {
  const [from] = map.range ?? [0];
  const [first] = map.items;
  const at = isScalar(first?.key) && first.key.range ? first.key.range[0] : from;
  if (map.flow === true) {
    const pairs = entries.map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
    const between = text.slice(from + 1, at);
    return { from: at, to: at, text: pairs.map((pair) => `${pair},${between || ' '}`).join('') };
  }
  // On lines of their own, so that what is taken out is another edit.
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const indent = text.slice(lineStart, at);
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = entries.map(([key, value]) => `${indent}${key}: ${value}${newline}`);
  return { from: lineStart, to: lineStart, text: lines.join('') };
}

/** Takes pairs out: with their lines where they stand on lines of their own, or with their commas. */
function* removals(text: string, map: YAMLMap, gone: ReadonlySet<Pair>): Generator<Edit> {
  const { items } = map;
  for (let i = 0; i < items.length; i += 1) {
    const pair = items[i];
    if (pair === undefined || !gone.has(pair)) continue;
    const from = startOf(pair.key);
    const lineStart = text.lastIndexOf('\n', from - 1) + 1;
    if (map.flow !== true && text.slice(lineStart, from).trim() === '') {
      const newline = text.indexOf('\n', endOf(pair));
      yield { from: lineStart, to: newline === -1 ? text.length : newline + 1, text: '' };
      continue;
    }
    // After a bracket, comma or dash: the next remaining entry moves there, over the removed ones.
    let last = i;
    for (let next = items[last + 1]; next !== undefined && gone.has(next); next = items[last + 1]) last += 1;
    const next = items[last + 1];
    const before = items[i - 1];
    const end = endOf(items[last] ?? pair);
    if (next !== undefined) yield { from, to: startOf(next.key), text: '' };
    else yield { from: before === undefined ? from : endOf(before), to: end, text: '' };
    i = last;
  }
}

function startOf(node: unknown): number {
  return (isScalar(node) ? node.range?.[0] : undefined) ?? 0;
}

/** Where its value ends, comments and line ends behind it left out. */
function endOf({ key, value }: Pair): number {
  const last = lastOf(value) ?? (isScalar(key) ? key : undefined);
  return last?.range?.[1] ?? 0;
}

/** Of a block collection the last scalar in it: its own range reaches over comments that follow. */
function lastOf(value: unknown): Node | undefined {
  if (isMap(value) && value.flow !== true) {
    const pair = value.items.at(-1);
    return lastOf(pair?.value) ?? (isScalar(pair?.key) ? pair.key : undefined);
  }
  if (isSeq(value) && value.flow !== true) return lastOf(value.items.at(-1));
  return isScalar(value) || isMap(value) || isSeq(value) ? value : undefined;
}

function applied(text: string, edits: readonly Edit[]): string {
  let result = '';
  let at = 0;
  for (const { from, to, text: put } of edits.toSorted((a, b) => a.from - b.from)) {
    result += text.slice(at, from) + put;
    at = Math.max(at, to);
  }
  return result + text.slice(at);
}

/** What triggers say of one connection. */
interface Place {
  readonly source: AnySource;
  readonly metadata: Readonly<Record<string, string>>;
  readonly namespaces: Set<string>;
  readonly logins: Map<string, readonly Login[] | undefined>;
  readonly name: string;
}

/** A parameter of a scaler, and the Secret that it comes from. */
interface Login {
  readonly parameter: string;
  readonly from: string;
  /** Of `podIdentity`: the role that it assumes. */
  readonly roleArn?: string;
}

interface Placed {
  readonly source: AnySource;
  readonly entry: TriggerEntry;
  readonly namespace: string;
}

/** The keys that say where a connection measures. */
const placeKeys: Readonly<Record<string, readonly string[]>> = {
  kafka: ['bootstrapServers', 'sasl', 'tls', 'saslTokenProvider', 'awsRegion', 'unsafeSsl'],
  sqs: ['awsRegion', 'awsEndpoint', 'awsRoleArn'],
  github: ['owner', 'runnerScope', 'githubApiURL', 'applicationID', 'installationID'],
  nats: ['natsServerMonitoringEndpoint', 'account', 'accountID'],
};

function authenticationOf(
  { entry: { authenticationRef: ref }, namespace }: Placed,
  authentications: readonly TriggerAuthentication[],
): TriggerAuthentication | undefined {
  return authentications.find(
    (one) =>
      one.kind === ref?.kind &&
      one.name === ref.name &&
      (one.kind === 'ClusterTriggerAuthentication' || (one.namespace || namespace) === namespace),
  );
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
function placeOf(
  places: Map<string, Place>,
  { source, entry, namespace }: Placed,
  authentication: TriggerAuthentication | undefined,
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
  place.logins.set(login, authentication === undefined ? place.logins.get(login) : loginsOf(authentication));
  return place;
}

/** Whether the scaler could take this connection for a trigger of another, which names none; triggers/select-connection.ts. */
function mayFit(connection: Place, of: Place, namespace: string): boolean {
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

function nameFor(kind: string, { metadata, authenticationRef }: TriggerEntry): string {
  const from =
    kind === 'github' ? metadata['owner'] : kind === 'sqs' ? metadata['awsRegion'] : authenticationRef?.name;
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

/** Names of Secrets and their keys; where the values come from somewhere else, that. */
function loginsOf({ spec }: TriggerAuthentication): readonly Login[] {
  const secrets = list(spec['secretTargetRef']).map(({ parameter, name, key }) => ({
    parameter: String(parameter),
    from: `key ${quote(String(key))} of Secret ${String(name)}`,
  }));
  const variables = list(spec['env']).map(({ parameter, name }) => ({
    parameter: String(parameter),
    from: `variable ${String(name)} of the workload`,
  }));
  const pod = identityOf(spec);
  const identity =
    pod === undefined
      ? []
      : [
          {
            parameter: 'podIdentity',
            from: textOfIdentity(pod),
            ...(pod.roleArn === undefined ? {} : { roleArn: pod.roleArn }),
          },
        ];
  const elsewhere = Object.keys(spec)
    .filter((key) => !['secretTargetRef', 'env', 'podIdentity'].includes(key))
    .map((key) => ({ parameter: key, from: 'what is configured there' }));
  return [...secrets, ...variables, ...identity, ...elsewhere];
}

interface Identity {
  readonly provider: string;
  readonly roleArn: string | undefined;
  readonly identityOwner: string | undefined;
}

function identityOf(spec: TriggerAuthentication['spec']): Identity | undefined {
  const pod = mapping(spec['podIdentity']);
  const text = (key: string): string | undefined => {
    const value = pod?.[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const provider = text('provider');
  if (provider === undefined || provider === 'none') return undefined;
  return { provider, roleArn: text('roleArn'), identityOwner: text('identityOwner') };
}

function textOfIdentity({ provider, roleArn, identityOwner }: Identity): string {
  const more = [
    ...(roleArn === undefined ? [] : [`roleArn ${quote(roleArn)}`]),
    ...(identityOwner === undefined ? [] : [`identityOwner ${quote(identityOwner)}`]),
  ];
  return [`podIdentity ${quote(provider)}`, ...more].join(', ');
}

function list(value: unknown): Readonly<Record<string, unknown>>[] {
  return (Array.isArray(value) ? value : []).map((one) => mapping(one) ?? {});
}

function entriesOf(places: readonly Place[]): ConnectionEntry[] {
  return places.map((place) => ({
    name: place.name,
    lines: [
      `  ${place.name}:`,
      `    source: ${place.source.kind}`,
      ...settingsOf(place).map((line) => `    ${line}`),
      `    namespaces: [${[...place.namespaces].map((one) => (one === '' ? 'TO-BE-NAMED' : one)).join(', ')}]`,
      ...[...place.logins].flatMap(([name, logins]) =>
        loginComments(name, logins).map((line) => `    # ${line}`),
      ),
    ],
  }));
}

function loginComments(name: string, logins: readonly Login[] | undefined): string[] {
  if (logins === undefined)
    return [`${name} is not in this file: its Secrets go into the files that are named here.`];
  return logins.map(({ parameter, from }) => `${parameter}: ${from} (${name})`);
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
  const parameters = new Set(
    [...place.logins.values()].flatMap((all) => (all ?? []).map(({ parameter }) => parameter)),
  );
  const { sasl: kedaSasl = 'none' } = metadata;
  const isIam = isMsk(metadata);
  if (metadata['tls'] === 'enable' || isIam || parameters.has('tls')) {
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
  const inSecret = parameters.has('sasl') || (kedaSasl === 'none' && parameters.has('username'));
  const mechanism = inSecret ? 'TO-BE-FILLED-IN' : mechanisms[kedaSasl];
  if (isIam) {
    lines.push(
      `sasl: { mechanism: aws-msk-iam, region: ${settingOr(place, 'awsRegion', 'TO-BE-FILLED-IN')} }`,
    );
  } else if (mechanism !== undefined) {
    lines.push(
      'sasl:',
      `  mechanism: ${mechanism}`,
      '  username: TO-BE-FILLED-IN',
      `  passwordFile: ${mounted(name, 'password')}`,
    );
  } else if (kedaSasl === 'oauthbearer') {
    lines.push(
      'sasl:',
      '  mechanism: oauthbearer',
      '  tokenEndpoint: https://TO-BE-FILLED-IN',
      '  clientId: TO-BE-FILLED-IN',
      `  clientSecretFile: ${mounted(name, 'client-secret')}`,
    );
  }
  return lines;
}

function isMsk(metadata: Readonly<Record<string, string>>): boolean {
  return metadata['sasl'] === 'aws_msk_iam' || metadata['saslTokenProvider'] === 'aws_msk_iam';
}

function sqsSettings(place: Place): string[] {
  const { metadata, logins } = place;
  const assumed = [...logins.values()].flatMap((all) =>
    (all ?? []).flatMap(({ roleArn }) => (roleArn === undefined ? [] : [roleArn])),
  );
  const roleArn = metadata['awsRoleArn'] ?? assumed[0];
  return [
    `region: ${settingOr(place, 'awsRegion', 'TO-BE-FILLED-IN')}`,
    ...(metadata['awsEndpoint'] === undefined ? [] : [`endpoint: ${scalar(metadata['awsEndpoint'])}`]),
    ...(roleArn === undefined ? [] : [`roleArn: ${scalar(roleArn)}`]),
  ];
}

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
