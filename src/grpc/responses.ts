import { ScalerError } from '../errors.ts';
import { nudgedTarget, wire } from '../scaling/metric.ts';
import type { Answer, Spec } from '../triggers/trigger.ts';

/*
 * Answers of a trigger in the shapes of KEDA's contract, for the service and for `explain`. The generated types
 * allow missing fields; nothing here leaves one out.
 */

export interface ActivityResponse {
  readonly result: boolean;
}

export interface SpecResponse {
  metricSpecs: [{ metricName: string; targetSize: string; targetSizeFloat: number }];
}

export interface MetricsResponse {
  metricValues: [{ metricName: string; metricValue: string; metricValueFloat: number }];
}

export function toActivity({ active }: Pick<Answer, 'active'>): ActivityResponse {
  return { result: active };
}

/** Exactly one: the HPA sums over what it gets. */
export function toSpecs({ metricName, target, nudge = 0 }: Spec): SpecResponse {
  const { int, float } = nudgedTarget(target, nudge);
  return { metricSpecs: [{ metricName, targetSize: int, targetSizeFloat: float }] };
}

/** Throws ScalerError if there is no number. `label` names the trigger in messages. It is made only for them. */
export function toMetrics(
  trigger: { readonly label: string },
  metricName: string,
  answer: MetricAnswer,
): MetricsResponse {
  if (answer.kind === 'uncounted') {
    const state = answer.active ? 'is active' : 'is inactive';
    throw new ScalerError(
      'unavailable',
      `${trigger.label}: ${state}, its number is not known yet: ${answer.why}`,
    );
  }
  const { int, float } = wire(answer.value);
  return { metricValues: [{ metricName, metricValue: int, metricValueFloat: float }] };
}

type MetricAnswer =
  | Extract<Answer, { kind: 'uncounted' }>
  | { readonly kind: 'known'; readonly value: number };
