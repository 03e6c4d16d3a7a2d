import { didYouMean } from '../params/suggest.ts';
import { quote } from '../printable.ts';
import { scaledJobDefaults } from '../scaling/scaled-job.ts';
import { readBehavior } from './behavior.ts';
import { error, isTrue, type OurTrigger, type Rule, warning } from './mistakes.ts';
import { mapping } from './yaml-values.ts';

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

/** Of a ScaledObject or ScaledJob around its triggers, and of what it has them do. */
export const specMistakes: readonly Rule[] = [
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

  function* fallback({ spec, lineOf, kind }, ours) {
    const values = ours.some(({ entry }) => entry.metricType === 'Value');
    if (spec.fallback !== undefined && values) {
      yield warning(
        lineOf('fallback'),
        'fallback: is for metricType AverageValue; with Value its effect depends on the version of KEDA',
      );
    }
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
    if (Number(failureThreshold) === 0) {
      yield warning(
        lineOf('fallback', 'failureThreshold'),
        'fallback: with failureThreshold 0 KEDA uses it at each restart of the scaler too; 3 is for a source that is down',
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

  function* rollout({ kind, spec, lineOf }, ours) {
    if (kind !== 'ScaledJob' || !ours.some(({ source }) => source?.kind === 'github')) return;
    // The older field goes first where it says something (controllers/keda/scaledjob_controller.go, v2.21).
    const strategy = spec.rolloutStrategy || spec.rollout?.['strategy'];
    if (strategy === 'gradual') return;
    yield warning(
      lineOf(spec.rolloutStrategy ? 'rolloutStrategy' : 'rollout', 'strategy'),
      'rollout: KEDA deletes all Jobs, with the jobs that run in them, whenever the ScaledJob changes: set rollout.strategy to gradual',
    );
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
