import { ScalerError } from '../errors.ts';
import { nudgedTarget, wire } from '../scaling/metric.ts';
import type { Answer, Spec } from '../triggers/trigger.ts';

/*
 * What a trigger says, in the shapes of KEDA's contract: of the service, and of whoever explains it. The types that
 * are made of the contract take these; they may leave fields out, and nothing here does.
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

/** Throws ScalerError where there is no number. `label`: how messages name the trigger; made only for them. */
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
