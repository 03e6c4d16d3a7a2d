import { didYouMean } from '../params/suggest.ts';
import { quote } from '../printable.ts';
import { scaledJobDefaults } from '../scaling/scaled-job.ts';
import type { AnySource } from '../sources/source.ts';
import { commonParams, kedaOwnKeys, kedaSecretKeys } from '../triggers/common-params.ts';
import { readBehavior } from './behavior.ts';
import { mapping, type ScaledResource, type TriggerEntry } from './read.ts';

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

type Rule = (resource: ScaledResource, ours: readonly OurTrigger[]) => Iterable<Mistake>;

/** All of them, in the order of lines. Pure. */
export function mistakesOf(resource: ScaledResource, ours: readonly OurTrigger[]): readonly Mistake[] {
  return rules.flatMap((rule) => [...rule(resource, ours)]).toSorted((a, b) => a.line - b.line);
}

/** Whether a trigger is one of this scaler's: its `scalerAddress` may be any, its `source` is ours alone. */
export function isOurs({ type, metadata }: TriggerEntry): boolean {
  if (type !== 'external' && type !== 'external-push') return false;
  const named = ['source', 'sourceFromEnv'].some((key) => metadata[key] !== undefined);
  return named || /(^|[/.])[\w-]*backlog-scaler/.test(metadata['scalerAddress'] ?? '');
}

/** The HPA adds it to the replicas in an int32 (horizontal.go, calculateScaleUpLimitWithScalingRules). */
const mostPodsPolicy = 2_000_000_000;
/** The HPA leaves replicas as they are within a tenth (kube-controller-manager, --horizontal-pod-autoscaler-tolerance). */
const tolerance = 0.1;
/** RFC 1123, as Kubernetes takes it: a name is labels with dots between them, a namespace is one label. */
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** pkg/apis/keda/v1alpha1/scaledobject_types.go and withtriggers_types.go, v2.21. */
const defaults = { maxReplicaCount: 100, pollingIntervalSeconds: 30 };

const fields = {
  ScaledObject: [
    'scaleTargetRef',
    'pollingInterval',
    'initialCooldownPeriod',
    'cooldownPeriod',
    'idleReplicaCount',
    'minReplicaCount',
    'maxReplicaCount',
    'advanced',
    'triggers',
    'fallback',
  ],
  ScaledJob: [
    'jobTargetRef',
    'pollingInterval',
    'successfulJobsHistoryLimit',
    'failedJobsHistoryLimit',
    'rolloutStrategy',
    'rollout',
    'envSourceContainerName',
    'minReplicaCount',
    'maxReplicaCount',
    'scalingStrategy',
    'triggers',
  ],
  trigger: ['type', 'name', 'useCachedMetrics', 'metadata', 'authenticationRef', 'metricType'],
} as const;

/** Where a field belongs that was written below `spec`. */
const elsewhere: Readonly<Record<string, string>> = {
  behavior: 'advanced.horizontalPodAutoscalerConfig.behavior',
  horizontalPodAutoscalerConfig: 'advanced.horizontalPodAutoscalerConfig',
  scalingModifiers: 'advanced.scalingModifiers',
  restoreToOriginalReplicaCount: 'advanced.restoreToOriginalReplicaCount',
  metricType: 'the trigger, beside type',
  useCachedMetrics: 'the trigger, beside type',
  authenticationRef: 'the trigger, beside type',
};

const rules: readonly Rule[] = [
  function* names({ name, namespace, line }) {
    const refused = 'Kubernetes refuses it: only a-z, 0-9 and - are allowed, and no - at an end';
    if (name !== '' && !name.split('.').every((part) => label.test(part))) {
      yield error(line, `metadata.name: is ${quote(name)}, and ${refused}; parts are separated by dots`);
    }
    if (namespace !== '' && !label.test(namespace)) {
      yield error(line, `metadata.namespace: is ${quote(namespace)}, and ${refused}`);
    }
  },

  function* fieldsOfSpec({ kind, keys, lineOf }) {
    const known: readonly string[] = fields[kind];
    for (const key of keys.filter((one) => !known.includes(one))) {
      const place = Object.hasOwn(elsewhere, key) ? elsewhere[key] : undefined;
      const inOther = [...fields.ScaledObject, ...fields.ScaledJob].some((one) => one === key);
      const help =
        place === undefined
          ? inOther
            ? `: a ${kind} has no such field`
            : didYouMean(key, known)
          : `: it belongs to ${place}`;
      yield error(lineOf(key), `${quote(key)}: unknown field, which has no effect${help}`);
    }
  },

  function* fieldsOfTriggers(_, ours) {
    for (const { index, entry, source } of ours) {
      const known: readonly string[] = fields.trigger;
      for (const key of entry.keys.filter((one) => !known.includes(one))) {
        const isParameter = source !== undefined && Object.hasOwn(source.params.table, key);
        const help =
          isParameter || kedaOwnKeys.includes(key) ? ': it belongs below metadata' : didYouMean(key, known);
        yield error(
          entry.lineOf(key),
          `${quote(key)}: unknown field beside type, which has no effect${help}`,
          index,
        );
      }
      for (const key of ['metricType', 'useCachedMetrics', 'authenticationRef', 'name']) {
        if (entry.metadata[key] === undefined) continue;
        yield error(
          entry.lineOf(key),
          `${key}: belongs beside type, not below metadata, where it has no effect`,
          index,
        );
      }
    }
  },

  function* counts({ spec, lineOf }) {
    const { minReplicaCount: min = 0, maxReplicaCount: max = defaults.maxReplicaCount } = spec;
    const { idleReplicaCount: idle } = spec;
    if (min > max) {
      yield error(
        lineOf('minReplicaCount'),
        `minReplicaCount: is ${min}, above maxReplicaCount ${max}: KEDA refuses it`,
      );
    }
    if (idle !== undefined && idle >= min) {
      yield error(
        lineOf('idleReplicaCount'),
        `idleReplicaCount: must be less than minReplicaCount ${min}, got ${idle}: KEDA refuses it`,
      );
    }
  },

  function* capBelowTolerance({ kind, spec, lineOf }, ours) {
    const { minReplicaCount: min = 0, maxReplicaCount: max = defaults.maxReplicaCount } = spec;
    if (
      kind !== 'ScaledObject' ||
      min < 1 ||
      mapping(spec.behavior?.['scaleUp'])?.['tolerance'] !== undefined
    )
      return;
    const isWithin = (cap: number): boolean => cap > min && cap / min <= 1 + tolerance;
    const stays = `the HPA ignores a difference of up to a tenth, and stays at minReplicaCount ${min}`;
    for (const { index, entry, source } of ours) {
      const cap = Number(entry.metadata['maxConcurrency']);
      if (source?.kind === 'sqs' && isWithin(Math.min(cap, max))) {
        yield warning(
          entry.lineOf('maxConcurrency'),
          `maxConcurrency: the number asks for ${cap} replicas at most: ${stays}`,
          index,
        );
      } else if (source?.kind === 'kafka' && !isTrue(entry.metadata['allowIdleConsumers']) && isWithin(max)) {
        yield warning(
          lineOf('maxReplicaCount'),
          `maxReplicaCount: with at most ${max} partitions the number never asks for more: ${stays}`,
          index,
        );
      }
    }
  },

  function* times({ kind, spec, lineOf }, ours) {
    const { minReplicaCount: min = 0, idleReplicaCount: idle, pollingInterval, cooldownPeriod } = spec;
    for (const key of ['pollingInterval', 'cooldownPeriod', 'initialCooldownPeriod'] as const) {
      const seconds = spec[key];
      if (seconds !== undefined && seconds >= 10_000 && seconds % 1000 === 0) {
        yield warning(
          lineOf(key),
          `${key}: is in seconds; ${seconds} are ${hours(seconds)}. Were ${seconds} ms meant?`,
        );
      }
    }
    if (kind === 'ScaledObject' && min >= 1 && idle === undefined && ours.length > 0) {
      if (cooldownPeriod !== undefined) {
        yield warning(
          lineOf('cooldownPeriod'),
          `cooldownPeriod: has no effect: the workload never goes below minReplicaCount ${min}; how fast it shrinks is behavior.scaleDown of the HPA`,
        );
      }
      if (pollingInterval !== undefined && !usesPolls(spec.scalingModifiers, ours)) {
        yield warning(
          lineOf('pollingInterval'),
          'pollingInterval: has no effect since KEDA 2.21: with minReplicaCount of 1 or more only the HPA asks, every 15 s',
        );
      }
    }
    const interval = pollingInterval ?? defaults.pollingIntervalSeconds;
    if (kind === 'ScaledJob' && ours.length > 0 && interval > 10) {
      yield warning(
        lineOf('pollingInterval'),
        `pollingInterval: Jobs are only created at polls, so work waits for up to ${interval} s; set 1, which costs the source nothing`,
      );
    }
  },

  function* push({ kind }, ours) {
    for (const { index, entry } of ours) {
      const line = entry.lineOf('type');
      if (kind === 'ScaledJob' && entry.type === 'external-push') {
        const message = 'type: a push creates no Job: use external, and a short pollingInterval';
        yield warning(line, message, index);
      }
      if (kind === 'ScaledObject' && entry.type === 'external') {
        const message = 'type: external is only polled, never woken: use external-push';
        yield warning(line, message, index);
      }
      if (entry.useCachedMetrics === true && entry.type === 'external-push') {
        const message =
          'useCachedMetrics: after a push the HPA gets the zero of the last poll until the next poll: remove it';
        yield warning(entry.lineOf('useCachedMetrics'), message, index);
      }
      if (kind === 'ScaledJob' && entry.useCachedMetrics !== undefined) {
        yield warning(
          entry.lineOf('useCachedMetrics'),
          'useCachedMetrics: has no effect in a ScaledJob',
          index,
        );
      }
    }
  },

  function* metricTypes({ kind, spec, lineOf }, ours) {
    for (const { index, entry } of ours) {
      const line = entry.lineOf('metricType');
      const { metricType } = entry;
      if (metricType === 'Utilization') {
        yield error(
          line,
          'metricType: KEDA refuses Utilization for an external trigger: use AverageValue',
          index,
        );
      } else if (metricType !== 'AverageValue' && metricType !== 'Value') {
        const near = didYouMean(metricType, ['AverageValue', 'Value']);
        yield error(
          line,
          `metricType: must be AverageValue or Value, got ${quote(metricType)}${near}`,
          index,
        );
      } else if (metricType === 'Value' && kind === 'ScaledJob') {
        yield error(line, 'metricType: with Value a ScaledJob creates no Job: use AverageValue', index);
      } else if (metricType === 'Value') {
        const message =
          'metricType: Value multiplies the ready replicas by backlog / threshold, so they grow without end while a backlog lasts: use AverageValue';
        yield warning(line, message, index);
        if (Number(entry.metadata['headroomReplicas'] ?? 0) > 0) {
          yield warning(
            entry.lineOf('headroomReplicas'),
            'headroomReplicas: needs metricType AverageValue',
            index,
          );
        }
      }
    }
    const values = ours.some(({ entry }) => entry.metricType === 'Value');
    if (spec.fallback !== undefined && values) {
      yield warning(
        lineOf('fallback'),
        'fallback: is for metricType AverageValue; with Value its effect depends on the version of KEDA',
      );
    }
  },

  function* fallback({ spec, lineOf, kind }, ours) {
    if (spec.fallback === undefined || ours.length === 0 || kind === 'ScaledJob') return;
    const { failureThreshold, replicas } = spec.fallback;
    const line = lineOf('fallback');
    if (failureThreshold === undefined || replicas === undefined) {
      yield error(line, 'fallback: needs failureThreshold and replicas');
      return;
    }
    const { maxReplicaCount: max = defaults.maxReplicaCount } = spec;
    if (replicas === 0) {
      yield warning(
        lineOf('fallback', 'replicas'),
        'fallback: with replicas 0 an error scales the workload to zero; without fallback KEDA would hold it',
      );
    } else if (Number(replicas) > max) {
      yield warning(
        lineOf('fallback', 'replicas'),
        `fallback: ${replicas} replicas are above maxReplicaCount ${max}`,
      );
    }
    if (Number(failureThreshold) > 0) {
      yield warning(
        lineOf('fallback', 'failureThreshold'),
        'fallback: fires when the scaler answers with errors, not while it is gone, which KEDA does not count (KEDA issue 8056); then KEDA holds the replicas',
      );
    }
  },

  function* behavior({ spec, lineOf }, ours) {
    const { behavior, faults } = readBehavior(spec.behavior ?? {});
    for (const { path, message } of faults) {
      yield error(lineOf('advanced', 'horizontalPodAutoscalerConfig', 'behavior', ...path), message);
    }
    if (faults.length > 0) return;
    const scaleUp = mapping(spec.behavior?.['scaleUp']);
    const overflowing = behavior.scaleUp?.policies?.find(
      ({ type, value }) => type === 'Pods' && value > mostPodsPolicy,
    );
    if (overflowing) {
      yield warning(
        lineOf('advanced', 'horizontalPodAutoscalerConfig', 'behavior', 'scaleUp', 'policies'),
        `behavior.scaleUp: ${overflowing.value} Pods plus the existing ones overflow the int32 of the HPA, which then adds none: write 10000`,
      );
    }
    const surging = ours.filter(
      ({ entry }) => entry.type === 'external-push' && !/^(0|f|false)$/i.test(entry.metadata['surge'] ?? ''),
    );
    if (scaleUp === undefined || surging.length === 0) return;
    const at = (key: string): number =>
      lineOf('advanced', 'horizontalPodAutoscalerConfig', 'behavior', 'scaleUp', key);
    const window = Number(scaleUp['stabilizationWindowSeconds'] ?? 0);
    if (scaleUp['selectPolicy'] === 'Disabled') {
      yield warning(
        at('selectPolicy'),
        'behavior.scaleUp: Disabled keeps the HPA from ever adding a replica',
      );
      return;
    }
    if (window > 0) {
      yield warning(
        at('stabilizationWindowSeconds'),
        `behavior.scaleUp: stabilizationWindowSeconds ${window} uses the smallest value of the last ${window} s, so a surge begins ${window} s late: set 0`,
      );
    }
    const seconds = secondsToGrow(scaleUp, spec.maxReplicaCount ?? defaults.maxReplicaCount);
    if (seconds > 15) {
      const max = spec.maxReplicaCount ?? defaults.maxReplicaCount;
      yield warning(
        at('policies'),
        `behavior.scaleUp: its policies need ${seconds} s at least to reach maxReplicaCount ${max}, so a surge cannot bring all replicas at once`,
      );
    }
  },

  function* address(_, ours) {
    for (const { index, entry } of ours) {
      const { metadata } = entry;
      const given = metadata['scalerAddress']?.trim() ?? '';
      if (given === '') {
        const fromEnv =
          metadata['scalerAddressFromEnv'] === undefined ? '' : '; KEDA takes none from the environment';
        yield error(
          entry.line,
          `scalerAddress: is missing${fromEnv}: backlog-scaler.keda:6000 or the like`,
          index,
        );
      } else if (/^https?:\/\//.test(given)) {
        const message = `scalerAddress: must be host:port without http://, got ${quote(given)}: gRPC takes no URL`;
        yield error(entry.lineOf('scalerAddress'), message, index);
      } else if (!/:\d+$/.test(given)) {
        const message = `scalerAddress: must be host:port, got ${quote(given)}: KEDA would call port 443`;
        yield error(entry.lineOf('scalerAddress'), message, index);
      }
      const tls = isTrue(metadata['enableTLS']);
      if (isTrue(metadata['unsafeSsl']) && !tls && entry.authenticationRef === undefined) {
        const message =
          'unsafeSsl: does not enable TLS, so gRPC is plaintext: set enableTLS too, or remove it';
        yield warning(entry.lineOf('unsafeSsl'), message, index);
      }
      for (const key of ['caCert', 'tlsClientCert', 'tlsClientKey']) {
        if (metadata[key] === undefined) continue;
        const message = `${key}: has no effect below metadata: KEDA takes it from a TriggerAuthentication`;
        yield warning(entry.lineOf(key), message, index);
      }
    }
  },

  function* secrets(_, ours) {
    for (const { index, entry, source } of ours) {
      const keys = Object.entries(source?.connectionKeys ?? {}).filter(([, { secret }]) => secret);
      for (const key of [...kedaSecretKeys, ...keys.map(([key]) => key)]) {
        if ((entry.metadata[key] ?? '').trim() !== '') {
          const message = `${key}: is a secret in plain text, and has no effect: remove it and rotate the secret; credentials belong to the connection`;
          yield error(entry.lineOf(key), message, index);
        }
        const fromEnv = `${key}FromEnv`;
        if ((entry.metadata[fromEnv] ?? '').trim() !== '') {
          const message = `${fromEnv}: makes KEDA send the secret to the scaler, which refuses it without TLS: remove it; credentials belong to the connection`;
          yield warning(entry.lineOf(fromEnv), message, index);
        }
      }
      if (entry.authenticationRef === undefined) continue;
      const message =
        'authenticationRef: only its caCert, tlsClientCert and tlsClientKey are used, for TLS to the scaler; credentials of the source belong to the connection';
      yield warning(entry.lineOf('authenticationRef'), message, index);
    }
  },

  function* units(_, ours) {
    for (const { index, entry, source } of ours) {
      for (const [key, value] of Object.entries(entry.metadata)) {
        if (source?.params.table === undefined || !isNumber(source, key)) continue;
        const unit = /^\s*\d+(?:\.\d+)?\s*(ms|[smhdkKMG]i?|%)\s*$/.exec(value)?.[1];
        if (unit === undefined) continue;
        const per = key === 'persistentLagSeconds' ? 'seconds' : 'items, such as records, messages or jobs';
        yield error(
          entry.lineOf(key),
          `${key}: is a number of ${per}, and has no unit such as ${quote(unit)}`,
          index,
        );
      }
    }
  },

  function* strategies({ kind, spec, lineOf }, ours) {
    if (kind !== 'ScaledJob') return;
    const strategy = String(spec.scalingStrategy?.['strategy'] ?? scaledJobDefaults.strategy.kind);
    const line = lineOf('scalingStrategy', 'strategy');
    for (const { index, entry, source } of ours) {
      const counted = entry.metadata['count'] ?? 'queued+running';
      if (source?.kind === 'github' && strategy === 'accurate' && counted === 'queued+running') {
        const message =
          'scalingStrategy: accurate adds to running Jobs, and running jobs are counted too: set count to queued';
        yield warning(line, message, index);
      } else if (source?.kind === 'github' && strategy === 'default' && counted === 'queued') {
        const message =
          'scalingStrategy: default subtracts running Jobs, so running jobs must count: set count to queued+running';
        yield warning(line, message, index);
      } else if (
        source?.kind === 'sqs' &&
        strategy === 'accurate' &&
        !/^(0|f|false)$/i.test(entry.metadata['scaleOnInFlight'] ?? 'true')
      ) {
        const message =
          'scalingStrategy: accurate adds to running Jobs, and their messages in flight are counted too: set scaleOnInFlight to "false"';
        yield warning(line, message, index);
      }
    }
  },

  function* sameMeasure(_, ours) {
    const first = new Map<string, number>();
    for (const { index, entry, source } of ours) {
      if (source === undefined) continue;
      const key = measureOf(entry, source);
      const other = first.get(key);
      if (other === undefined) first.set(key, index);
      else {
        const message = `measures the same as triggers[${other}]: the HPA takes the larger number, so only the smaller threshold counts; keep one`;
        yield warning(entry.line, message, index);
      }
    }
  },

  function* names({ triggers }) {
    const seen = new Map<string, number>();
    for (const [index, entry] of triggers.entries()) {
      if (entry.name === undefined) continue;
      const first = seen.get(entry.name);
      if (first === undefined) seen.set(entry.name, index);
      else
        yield error(
          entry.lineOf('name'),
          `name: triggers[${first}] has the name ${quote(entry.name)}, too: KEDA refuses it`,
          index,
        );
    }
  },

  function* modifiers({ spec, lineOf }, ours) {
    if (spec.scalingModifiers?.['formula'] === undefined) return;
    for (const { index, entry } of ours.filter(({ entry }) => entry.type === 'external-push')) {
      if (entry.name === undefined) {
        yield warning(
          entry.line,
          'name: is missing, so the formula of scalingModifiers cannot use this trigger',
          index,
        );
      }
      if (isTrue(entry.metadata['surge'] ?? 'true')) {
        const message =
          'scalingModifiers: the HPA uses the target of the formula, so there is no surge: set surge: "false"';
        yield warning(lineOf('advanced', 'scalingModifiers'), message, index);
      }
    }
  },
];

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

function error(line: number, message: string, trigger?: number): Mistake {
  return { line, message, severity: 'error', ...(trigger === undefined ? {} : { trigger }) };
}

function warning(line: number, message: string, trigger?: number): Mistake {
  return { ...error(line, message, trigger), severity: 'warning' };
}

function isTrue(value: string | undefined): boolean {
  return /^(1|t|true)$/i.test(value?.trim() ?? '');
}

function isNumber({ params }: AnySource, key: string): boolean {
  const table: Readonly<Record<string, { readonly type: string }>> = params.table;
  return Object.hasOwn(table, key) && table[key]?.type === 'number';
}

/** What a trigger measures, without thresholds and call settings. */
function measureOf({ metadata }: TriggerEntry, source: AnySource): string {
  const entries = Object.entries(metadata).filter(
    ([key]) =>
      !isNumber(source, key) &&
      !kedaOwnKeys.includes(key) &&
      (key === 'connection' || !Object.hasOwn(commonParams.table, key)),
  );
  return JSON.stringify([source.kind, entries.toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}

function hours(seconds: number): string {
  return seconds >= 3600
    ? `${Number((seconds / 3600).toFixed(1))} hours`
    : `${Math.round(seconds / 60)} minutes`;
}

/** Whether KEDA 2.21 polls though the workload never sleeps (UsesHPAObservations in scaledobject_types.go). */
function usesPolls(scalingModifiers: unknown, ours: readonly OurTrigger[]): boolean {
  return scalingModifiers !== undefined || ours.some(({ entry }) => entry.useCachedMetrics === true);
}

/**
 * After how many seconds these policies at the soonest let one replica become `max`; 0 where they set no bound. What a
 * policy adds in one period is added at once; of several, `Max`, the default, takes the larger.
 */
function secondsToGrow(scaleUp: Readonly<Record<string, unknown>>, max: number): number {
  const given = scaleUp['policies'];
  const policies = (Array.isArray(given) ? given : []).map((one) => mapping(one) ?? {});
  const steps = policies.flatMap(({ type, value, periodSeconds }) => {
    const [amount, period] = [Number(value), Number(periodSeconds)];
    if (!(amount > 0) || !(period > 0)) return [];
    const add = (replicas: number): number =>
      type === 'Percent' ? Math.ceil((replicas * amount) / 100) : amount;
    return [{ add, period }];
  });
  if (steps.length === 0) return 0;
  const pick = scaleUp['selectPolicy'] === 'Min' ? Math.min : Math.max;
  let replicas = 1;
  let periods = 0;
  while (replicas < max && periods < 10_000) {
    replicas += pick(...steps.map(({ add }) => add(replicas)));
    periods += 1;
  }
  // The shortest of different periods gives a lower bound.
  return Math.max(0, periods - 1) * Math.min(...steps.map(({ period }) => period));
}
