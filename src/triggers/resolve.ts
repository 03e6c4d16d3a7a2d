import { hash } from 'node:crypto';
import { ScalerError } from '../errors.ts';
import { type Given, givenValues, parseParams, tooLong, unknownKeys } from '../params/parse.ts';
import type { Param } from '../params/schema.ts';
import { didYouMean } from '../params/suggest.ts';
import { quote } from '../printable.ts';
import type { DrainPolicy } from '../scaling/drain.ts';
import { type Headroom, printedTarget } from '../scaling/metric.ts';
import type { AnySource, ConfiguredConnection, Target } from '../sources/source.ts';
import { type CommonParams, commonParams, drainPolicyOf, kedaOwnKeys } from './common-params.ts';
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

/** What a reference is resolved against. */
export interface World {
  readonly sources: readonly AnySource[];
  readonly connections: ReadonlyMap<string, ConfiguredConnection>;
  /** The limit where neither the trigger nor its source says one. */
  readonly maxStalenessSeconds: number;
  /** Whether secrets of a `…FromEnv` are refused: gRPC is in the open, and nobody has allowed them there. */
  readonly refuseSecretsFromEnv: boolean;
}

/** What a reference says by itself, whatever connections there are. */
export interface Said {
  readonly given: ReadonlyMap<string, Given>;
  readonly common: CommonParams;
  /** Undefined if it names no known source. */
  readonly source: AnySource | undefined;
  /** Its source's own parameters; complete only where there is no fault. */
  readonly params: unknown;
  readonly faults: readonly string[];
  /** How many faults more there are. */
  readonly unsaid: number;
  /** Whether a value is too long to be compared with the connections. */
  readonly overlong: boolean;
}

/**
 * Reads a reference without its connections. `asWritten`: it is what the author wrote, not what KEDA sends. Then the value
 * of a `…FromEnv` is the name of a variable with unknown content. Pure.
 */
export function readReference(
  { namespace, name, metadata }: Reference,
  { sources, refuseSecretsFromEnv }: Pick<World, 'sources' | 'refuseSecretsFromEnv'>,
  { asWritten = false } = {},
): Said {
  const given = givenValues(metadata, asWritten);
  const common = parseParams(commonParams, given);
  const faults = [...common.faults];
  if (namespace === '') faults.push('namespace: is missing from the reference');
  if (name === '') faults.push('name: is missing from the reference');
  const source = sourceOf(given, sources, faults);
  const said = { given, common: common.params, source, faults };
  if (!source) return { ...said, params: undefined, unsaid: 0, overlong: false };
  const own = parseParams(source.params, given);
  const unknown = unknownKeys(given, knownKeys(source), maxFaultsShown);
  faults.push(...own.faults, ...unknown.faults);
  if (common.params.replicaRate === 'learn' && source.learnsReplicaRate !== true) {
    faults.push(cannotLearn(source, sources));
  }
  if (refuseSecretsFromEnv) faults.push(...secretsFromEnv(source, metadata));
  const overlong = overlongKeys(source, given);
  faults.push(...overlong.faults);
  return { ...said, params: own.params, unsaid: unknown.more, overlong: overlong.found };
}

/** What a reference means under one configuration, or all its faults. */
export type Outcome =
  | { readonly kind: 'measured'; readonly measured: Measured }
  | { readonly kind: 'invalid'; readonly faults: readonly string[]; readonly unsaid: number }
  | { readonly kind: 'denied'; readonly message: string };

/** What a reference means. Pure; throws ScalerError `invalid` with every fault there is, or `denied`. */
export function resolve(reference: Reference, world: World): Measured {
  const said = readReference(reference, world);
  const outcome = outcomeOf(reference, world, said);
  switch (outcome.kind) {
    case 'measured':
      return outcome.measured;
    case 'denied':
      throw new ScalerError('denied', outcome.message).within(whose(reference));
    case 'invalid':
      throw invalid(reference, outcome.faults, outcome.unsaid);
  }
}

/** What becomes of what a reference says, with the connections there are. Pure. */
export function outcomeOf({ namespace }: Reference, world: World, said: Said): Outcome {
  const { given, common, source, params, unsaid } = said;
  const hiding = hidingFromEnv(given.values());
  const faults = [...said.faults];
  const refused = (): Outcome => ({ kind: 'invalid', faults: faults.map(hiding), unsaid });
  if (!source || said.overlong) return refused();
  const selection = selectConnection({
    source,
    namespace,
    named: common.connection,
    given,
    connections: world.connections,
  });
  if (selection.kind === 'denied') return { kind: 'denied', message: hiding(selection.message) };
  faults.push(...selection.faults);
  if (selection.kind === 'none') return refused();
  const { connection } = selection;
  const least = faults.length === 0 ? (source.leastStalenessSeconds?.(params, connection.config) ?? 0) : 0;
  if (faults.length === 0) {
    const conflict = source.conflict?.(params, connection.config);
    if (conflict !== undefined) faults.push(conflict);
    const { maxStalenessSeconds } = common;
    if (maxStalenessSeconds !== undefined && maxStalenessSeconds < least) {
      faults.push(tooFresh(maxStalenessSeconds, least, connection.name));
    }
  }
  if (faults.length > 0) return refused();

  const asked = source.target(params, connection.config);
  const drain = drainPolicyOf(common);
  const target = { ...asked, perReplica: perReplicaOf(asked, drain) };
  const usual = source.maxStalenessSeconds ?? world.maxStalenessSeconds;
  const maxStalenessSeconds = common.maxStalenessSeconds ?? Math.max(usual, least);
  return {
    kind: 'measured',
    measured: {
      source,
      connection,
      params,
      paramsKey: paramsKeyOf(source, given),
      target,
      metricName: metricName(source.kind, target.nameParts.map(namesHidingFromEnv(source, given))),
      headroom: headroomOf(common),
      drain,
      ignored:
        drain && source.threshold !== undefined && given.has(source.threshold) ? [source.threshold] : nothing,
      maxStalenessMs: maxStalenessSeconds * 1000,
      surge: common.surge,
    },
  };
}

// There are tens of thousands of triggers, and most of them share these.
const nothing: readonly never[] = [];
const noHeadroom: Headroom = { replicas: 0, whenIdle: false };

function headroomOf({ headroomReplicas: replicas, headroomWhenIdle: whenIdle }: CommonParams): Headroom {
  return replicas === 0 && !whenIdle ? noHeadroom : { replicas, whenIdle };
}

/** The target for the HPA. Under `policy: drain` the value is replicas. */
export function perReplicaOf({ perReplica }: Target, drain: DrainPolicy | undefined): number {
  return drain ? 1 : printedTarget(perReplica);
}

function cannotLearn({ kind }: AnySource, sources: readonly AnySource[]): string {
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
  sources: readonly AnySource[],
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

function invalid(reference: Reference, faults: readonly string[], unsaid: number): ScalerError {
  const shown = faults.slice(0, maxFaultsShown);
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
 * `<source>-<slug of the parts>` in `[a-z0-9-]`. A pure function of the parts, never of thresholds. The poll
 * and the HPA must use the same name after a change of thresholds, on every pod, and after a restart.
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
