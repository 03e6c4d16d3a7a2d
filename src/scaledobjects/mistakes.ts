import type { AnySource } from '../sources/source.ts';
import type { ScaledResource, TriggerEntry } from './scaled-resource.ts';

/*
 * What is wrong around a trigger, as KEDA 2.21 and Kubernetes 1.37 take it: what the scaler itself cannot see, since
 * KEDA sends it the metadata alone.
 */

/** Found in a ScaledObject or ScaledJob. `trigger` is its index. */
export interface Mistake {
  readonly line: number;
  readonly trigger?: number;
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

/** A trigger that asks this scaler, and its source, as far as it names one. */
export interface OurTrigger {
  readonly index: number;
  readonly entry: TriggerEntry;
  readonly source: AnySource | undefined;
}

/** What one kind of mistake looks like. Pure. */
export type Rule = (resource: ScaledResource, ours: readonly OurTrigger[]) => Iterable<Mistake>;

/** The triggers that ask this scaler. */
export function oursOf({ triggers }: ScaledResource, sources: readonly AnySource[]): readonly OurTrigger[] {
  return triggers.flatMap((entry, index) => {
    if (!isOurs(entry)) return [];
    const kind = entry.metadata['source']?.trim();
    return [{ index, entry, source: sources.find((one) => one.kind === kind) }];
  });
}

/** Whether a trigger is one of this scaler's: its `scalerAddress` may be any, its `source` is ours alone. */
function isOurs({ type, metadata }: TriggerEntry): boolean {
  if (type !== 'external' && type !== 'external-push') return false;
  const named = ['source', 'sourceFromEnv'].some((key) => metadata[key] !== undefined);
  return named || /(^|[/.])[\w-]*backlog-scaler/.test(metadata['scalerAddress'] ?? '');
}

/**
 * Two ScaledObjects for one workload, which KEDA's webhook refuses: each HPA would undo what the other does. Keyed by
 * place in `resources`.
 */
export function sharedTargets(resources: readonly ScaledResource[]): ReadonlyMap<ScaledResource, Mistake> {
  const first = new Map<string, ScaledResource>();
  const found = new Map<ScaledResource, Mistake>();
  for (const resource of resources) {
    const { kind, namespace, name, spec, lineOf } = resource;
    const { name: target, kind: targetKind = 'Deployment' } = spec.scaleTargetRef ?? {};
    if (kind !== 'ScaledObject' || typeof target !== 'string') continue;
    const key = JSON.stringify([namespace, targetKind, target]);
    const other = first.get(key);
    if (other === undefined) first.set(key, resource);
    else if (other.name !== name) {
      const message = `scaleTargetRef: ScaledObject ${other.name} (${other.file}) scales ${String(targetKind)} ${target}, too: KEDA refuses the second; put both triggers into one`;
      found.set(resource, error(lineOf('scaleTargetRef'), message));
    }
  }
  return found;
}

export function error(line: number, message: string, trigger?: number): Mistake {
  return { line, message, severity: 'error', ...(trigger === undefined ? {} : { trigger }) };
}

export function warning(line: number, message: string, trigger?: number): Mistake {
  return { ...error(line, message, trigger), severity: 'warning' };
}

/** As Go reads a bool. */
export function isTrue(value: string | undefined): boolean {
  return /^(1|t|true)$/i.test(value?.trim() ?? '');
}
