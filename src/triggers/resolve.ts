import { hash } from 'node:crypto';
import { ScalerError } from '../errors.ts';
import { type Given, givenValues, parseParams, tooLong, unknownKeys } from '../params/parse.ts';
import type { Param } from '../params/schema.ts';
import { didYouMean } from '../params/suggest.ts';
import { quote } from '../printable.ts';
import type { DrainPolicy } from '../scaling/drain.ts';
import type { Headroom } from '../scaling/headroom.ts';
import type { AnySource, ConfiguredConnection, Target } from '../sources/source.ts';
import { commonParams, drainPolicyOf, kedaOwnKeys } from './common-params.ts';
import { hidingFromEnv, namesHidingFromEnv, secretsFromEnv } from './from-env.ts';
import { ownerOf, type Reference } from './reference.ts';
import { selectConnection } from './select-connection.ts';

/** What a reference asks to be measured, under one configuration. */
export interface Measured {
  readonly source: AnySource;
  readonly connection: ConfiguredConnection;
  readonly params: unknown;
  /** Equal for triggers of one source whose params are equal: they get equal readings. */
  readonly paramsKey: string;
  readonly target: Target;
  readonly metricName: string;
  readonly headroom: Headroom;
  /** Under `policy: drain`. */
  readonly drain: DrainPolicy | undefined;
  /** The keys that were given and that nothing looks at, under this policy. */
  readonly ignored: readonly string[];
  readonly maxStalenessMs: number;
  /** Whether the HPA may be made to look when it grows. */
  readonly surge: boolean;
}

/** All that a reference is resolved against. */
export interface World {
  readonly sources: readonly AnySource[];
  readonly connections: ReadonlyMap<string, ConfiguredConnection>;
  /** The limit where neither the trigger nor its source says one. */
  readonly maxStalenessSeconds: number;
  /** Whether secrets of a `…FromEnv` are refused: gRPC is in the open, and nobody has allowed them there. */
  readonly refuseSecretsFromEnv: boolean;
}

/** What a reference means. Pure; throws ScalerError `invalid` with every fault there is, or `denied`. */
export function resolve(reference: Reference, world: World): Measured {
  const { namespace, name, metadata } = reference;
  const given = givenValues(metadata);
  const common = parseParams(commonParams, given);
  const faults = [...common.faults];
  if (namespace === '') faults.push('namespace: is missing from the reference');
  if (name === '') faults.push('name: is missing from the reference');

  const source = sourceOf(given, world, faults);
  if (!source) throw invalid(reference, given, faults);
  const own = parseParams(source.params, given);
  const unknown = unknownKeys(given, knownKeys(source), maxFaultsShown);
  faults.push(...own.faults, ...unknown.faults);
  if (world.refuseSecretsFromEnv) faults.push(...secretsFromEnv(source, metadata));
  const overlong = overlongKeys(source, given);
  faults.push(...overlong.faults);
  if (overlong.found) throw invalid(reference, given, faults, unknown.more);
  const selection = selectConnection({
    source,
    namespace,
    named: common.params.connection,
    given,
    connections: world.connections,
  });
  if (selection.kind === 'denied') {
    throw new ScalerError('denied', hidingFromEnv(given.values())(selection.message)).within(
      whose(reference),
    );
  }
  faults.push(...selection.faults);
  if (common.params.replicaRate === 'learn' && source.learnsReplicaRate !== true) {
    faults.push(cannotLearn(source, world));
  }
  if (faults.length === 0 && selection.kind === 'selected') {
    const { config } = selection.connection;
    const conflict = source.conflict?.(own.params, config);
    if (conflict !== undefined) faults.push(conflict);
    const { maxStalenessSeconds } = common.params;
    const least = source.leastStalenessSeconds?.(own.params, config) ?? 0;
    if (maxStalenessSeconds !== undefined && maxStalenessSeconds < least) {
      faults.push(tooFresh(maxStalenessSeconds, least, selection.connection.name));
    }
  }
  if (faults.length > 0 || selection.kind === 'none') {
    throw invalid(reference, given, faults, unknown.more);
  }

  const asked = source.target(own.params, selection.connection.config);
  const drain = drainPolicyOf(common.params);
  const target = drain ? { ...asked, perReplica: drainTarget } : asked;
  const usual = source.maxStalenessSeconds ?? world.maxStalenessSeconds;
  const least = source.leastStalenessSeconds?.(own.params, selection.connection.config) ?? 0;
  const maxStalenessSeconds = common.params.maxStalenessSeconds ?? Math.max(usual, least);
  return {
    source,
    connection: selection.connection,
    params: own.params,
    paramsKey: paramsKeyOf(source, given),
    target,
    metricName: metricName(source.kind, target.nameParts.map(namesHidingFromEnv(source, given))),
    headroom: { replicas: common.params.headroomReplicas, whenIdle: common.params.headroomWhenIdle },
    drain,
    ignored: drain && source.threshold !== undefined && given.has(source.threshold) ? [source.threshold] : [],
    maxStalenessMs: maxStalenessSeconds * 1000,
    surge: common.params.surge,
  };
}

/** The value is replicas there. */
const drainTarget = 1;

function cannotLearn({ kind }: AnySource, { sources }: World): string {
  const able = sources.filter(({ learnsReplicaRate }) => learnsReplicaRate).map((source) => source.kind);
  const where = able.length === 0 ? '' : ` (only ${able.join(', ')} does)`;
  return `replicaRate: learn: ${kind} does not show how fast consumers are${where}; give the items a second of one replica`;
}

function tooFresh(given: number, least: number, connection: string): string {
  const why = `connection ${quote(connection)} is not read often enough for less, or its upstream would be asked too often`;
  return `maxStalenessSeconds: must be at least ${least} here, got ${given}: ${why}`;
}

function sourceOf(
  given: ReadonlyMap<string, Given>,
  { sources }: World,
  faults: string[],
): AnySource | undefined {
  const kind = given.get('source')?.value;
  if (kind === undefined) return undefined;
  const found = sources.find((source) => source.kind === kind);
  if (found) return found;
  const kinds = sources.map((source) => source.kind);
  faults.push(`source: must be one of ${kinds.join(', ')}, got ${quote(kind)}${didYouMean(kind, kinds)}`);
  return undefined;
}

/** Characters of a connection's key that a trigger gives, where the key does not say otherwise. */
const mostKeyCharacters = 1_024;

/**
 * Whether a value is too long to be compared with the connections: nothing is looked for by it. What is a parameter,
 * too, has its fault already.
 */
function overlongKeys(
  source: AnySource,
  given: ReadonlyMap<string, Given>,
): { found: boolean; faults: string[] } {
  const faults: string[] = [];
  let found = (given.get('connection')?.value.length ?? 0) > commonParams.table.connection.most.characters;
  for (const [name, { agrees, most = mostKeyCharacters }] of Object.entries(source.connectionKeys)) {
    const value = agrees && given.get(name);
    if (!value) continue;
    const parameter = Object.entries<Param<unknown>>(source.params.table).find(
      ([known]) => known === name,
    )?.[1];
    if (value.value.length <= (parameter?.most.characters ?? most)) continue;
    found = true;
    if (!parameter) faults.push(tooLong(value.key, value.value, most));
  }
  return { found, faults };
}

/** Of the source's own values as they were given; a hash, since they may be long. */
function paramsKeyOf(source: AnySource, given: ReadonlyMap<string, Given>): string {
  const values = Object.keys(source.params.table).map((key) => given.get(key)?.value ?? null);
  return hash('sha256', JSON.stringify(values), 'base64url');
}

function knownKeys(source: AnySource): ReadonlySet<string> {
  return new Set([
    ...Object.keys(commonParams.table),
    ...Object.keys(source.params.table),
    ...Object.keys(source.connectionKeys),
    ...kedaOwnKeys,
  ]);
}

const maxFaultsShown = 20;

function invalid(
  reference: Reference,
  given: ReadonlyMap<string, Given>,
  faults: readonly string[],
  unsaid = 0,
): ScalerError {
  const shown = faults.slice(0, maxFaultsShown).map(hidingFromEnv(given.values()));
  const more = unsaid + faults.length - shown.length;
  if (more > 0) shown.push(`and ${more} more`);
  return new ScalerError('invalid', `${whose(reference)}: ${shown.join('; ')}`);
}

function whose(reference: Reference): string {
  return `trigger of ${ownerOf(reference)}`;
}

/** KEDA puts `s<index>-` in front, and the HPA uses it as a path segment and a label value of at most 63. */
const maxNameLength = 63;
const digestLength = 8;

/**
 * `<source>-<slug of the parts>` in `[a-z0-9-]`. A pure function of the parts, never of thresholds: the poll
 * and the HPA must ask for the same name after a threshold has changed, on every pod and after a restart.
 */
export function metricName(source: string, parts: readonly string[]): string {
  const slug = [source, ...parts]
    .join('-')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  if (slug.length <= maxNameLength) return slug;
  const digest = hash('sha256', JSON.stringify(parts), 'hex').slice(0, digestLength);
  return `${slug.slice(0, maxNameLength - digestLength - 1).replace(/-$/, '')}-${digest}`;
}
