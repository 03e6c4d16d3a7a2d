import { ScalerError } from '../errors.ts';
import { type Given, givenValues, parseParams, unknownKeys } from '../params/parse.ts';
import { didYouMean } from '../params/suggest.ts';
import { quote } from '../params/values.ts';
import type { AnySource } from '../sources/source.ts';
import { commonParams, kedaOwnKeys } from './common.ts';
import { hideFromEnv } from './hide-from-env.ts';
import { identityOf, keyOf } from './identity.ts';
import { metricName } from './metric-name.ts';
import { secretsFromEnv } from './secrets-from-env.ts';
import { selectConnection } from './select-connection.ts';
import type { ConfiguredConnection, Reference, Trigger } from './trigger.ts';

export interface BookOptions {
  sources: readonly AnySource[];
  connections: ReadonlyMap<string, ConfiguredConnection>;
  maxStalenessSeconds: number;
  /** How many parsed references are remembered; the oldest goes first, and is parsed anew when it is asked for. */
  maxRemembered: number;
  /** Whether secrets of a `…FromEnv` are refused: gRPC is in the open, and nobody has allowed them there. */
  refuseSecretsFromEnv?: boolean;
  /** Is told of each reference that is refused, once for as long as it is remembered. */
  refused?: (error: ScalerError) => void;
}

/** Characters: anybody who reaches the port can send references, and each may be as long as a message. */
const maxRememberedLength = 32 * 1024 * 1024;

type Outcome = { trigger: Trigger } | { error: ScalerError };

/** Parses references, each once: KEDA sends the same one at every poll. */
export class TriggerBook {
  private options: BookOptions;
  private readonly remembered = new Map<string, Outcome>();
  private rememberedLength = 0;

  constructor(options: BookOptions) {
    this.options = options;
  }

  /** A changed configuration: everything is parsed anew when it is next asked for. */
  use(changed: Partial<BookOptions>): void {
    this.options = { ...this.options, ...changed };
    this.remembered.clear();
    this.rememberedLength = 0;
  }

  /** Throws ScalerError `invalid` with every fault there is, or `denied`. */
  trigger(reference: Reference): Trigger {
    const key = keyOf(reference);
    let outcome = this.remembered.get(key);
    if (!outcome) {
      outcome = this.parse(identityOf(key), reference);
      this.remember(key, outcome);
      if ('error' in outcome) this.options.refused?.(outcome.error);
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.trigger;
  }

  private remember(key: string, outcome: Outcome): void {
    this.remembered.set(key, outcome);
    this.rememberedLength += key.length;
    for (const oldest of this.remembered.keys()) {
      if (!this.full) break;
      this.remembered.delete(oldest);
      this.rememberedLength -= oldest.length;
    }
  }

  private get full(): boolean {
    return this.remembered.size > this.options.maxRemembered || this.rememberedLength > maxRememberedLength;
  }

  private parse(id: string, reference: Reference): Outcome {
    const { namespace, name, metadata } = reference;
    const given = givenValues(metadata);
    const common = parseParams(commonParams, given);
    const faults = [...common.faults];
    if (namespace === '') faults.push('namespace: is missing from the reference');
    if (name === '') faults.push('name: is missing from the reference');

    const source = this.source(given, faults);
    if (!source) return refuse(reference, given, faults);
    const own = parseParams(source.params, given);
    faults.push(...own.faults, ...unknownKeys(given, knownKeys(source)));
    if (this.options.refuseSecretsFromEnv) faults.push(...secretsFromEnv(source, metadata));
    const selection = selectConnection({
      source,
      namespace,
      named: common.params.connection,
      given,
      connections: this.options.connections,
    });
    if (selection.kind === 'denied') {
      const message = `${whose(reference)}: ${hideFromEnv(selection.error.message, given.values())}`;
      return { error: new ScalerError('denied', message) };
    }
    faults.push(...selection.faults);
    if (faults.length === 0 && selection.kind === 'selected') {
      const conflict = source.conflict?.(own.params, selection.connection.config);
      if (conflict !== undefined) faults.push(conflict);
    }
    if (faults.length > 0 || selection.kind === 'none') return refuse(reference, given, faults);

    const target = source.target(own.params, selection.connection.config);
    const maxStalenessSeconds =
      common.params.maxStalenessSeconds ?? source.maxStalenessSeconds ?? this.options.maxStalenessSeconds;
    return {
      trigger: {
        id,
        reference,
        source,
        connection: selection.connection,
        params: own.params,
        paramsKey: paramsKeyOf(source, given),
        target,
        metricName: metricName(source.kind, target.nameParts),
        maxStalenessMs: maxStalenessSeconds * 1000,
      },
    };
  }

  private source(given: ReadonlyMap<string, Given>, faults: string[]): AnySource | undefined {
    const kind = given.get('source')?.value;
    if (kind === undefined) return undefined;
    const found = this.options.sources.find((source) => source.kind === kind);
    if (found) return found;
    const kinds = this.options.sources.map((source) => source.kind);
    faults.push(`source: must be one of ${kinds.join(', ')}, got ${quote(kind)}${didYouMean(kind, kinds)}`);
    return undefined;
  }
}

/** The source's own values as they were given. */
function paramsKeyOf(source: AnySource, given: ReadonlyMap<string, Given>): string {
  return JSON.stringify(Object.keys(source.params.table).map((key) => given.get(key)?.value ?? null));
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

function refuse(reference: Reference, given: ReadonlyMap<string, Given>, faults: readonly string[]): Outcome {
  const shown = faults.slice(0, maxFaultsShown).map((fault) => hideFromEnv(fault, given.values()));
  if (faults.length > shown.length) shown.push(`and ${faults.length - shown.length} more`);
  return { error: new ScalerError('invalid', `${whose(reference)}: ${shown.join('; ')}`) };
}

function whose({ namespace, name }: Reference): string {
  return `trigger of ${namespace || '(no namespace)'}/${name || '(no name)'}`;
}
