import type { AnySource, Target } from '../sources/source.ts';

/** KEDA's ScaledObjectRef (also sent for a ScaledJob), made safe: every field is there. */
export interface Reference {
  readonly namespace: string;
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A named, configured place of a source, as the configuration has it. */
export interface ConfiguredConnection {
  readonly name: string;
  readonly source: AnySource;
  /** The source's own settings, secrets resolved. Never logged. */
  readonly config: unknown;
  /** Namespace patterns that may use it; `*` stands for any run of characters. */
  readonly namespaces: readonly string[];
  /** Equal as long as nothing that the upstream sees has changed: else the connection is opened anew. Holds no secret. */
  readonly fingerprint: string;
  /** What is measured there: a reading of before is one of the same place as long as this is equal. */
  readonly place: string;
}

/** One reference, parsed. Immutable; equal references share one. */
export interface Trigger {
  /** Hash of namespace, name and sorted metadata: two triggers with equal metadata are the same trigger. */
  readonly id: string;
  readonly reference: Reference;
  readonly source: AnySource;
  readonly connection: ConfiguredConnection;
  readonly params: unknown;
  /** Equal for triggers of one source whose params are equal: they get equal readings. */
  readonly paramsKey: string;
  readonly target: Target;
  readonly metricName: string;
  readonly maxStalenessMs: number;
}

/** `kafka trigger of shop/orders-worker`: how messages name a trigger. */
export function describe({ reference, source }: Trigger): string {
  return `${source.kind} trigger of ${reference.namespace}/${reference.name}`;
}
