import { attempt, ScalerError } from '../errors.ts';
import { toActivity, toMetrics, toSpecs } from '../grpc/service.ts';
import { codeName, toStatus } from '../grpc/status.ts';
import type { Spec } from '../triggers/followers.ts';
import type { Answer } from '../triggers/measurement.ts';
import type { Trigger } from '../triggers/trigger.ts';
import type { AnswerView, Rpc } from './view.ts';

/** What the RPCs answer of one trigger, and what of it KEDA and the HPA go by. */
export interface Answered {
  readonly answers: readonly AnswerView[];
  readonly active?: boolean | undefined;
  readonly value?: number | undefined;
  readonly target?: number | undefined;
  readonly unreachable: boolean;
}

const allRpcs: readonly Rpc[] = [
  'IsActive',
  'StreamIsActive',
  'GetMetricSpec',
  'StreamMetricSpec',
  'GetMetrics',
];

/** What each RPC of a live trigger answers. One that has no reading yet is waited for until `signal` aborts. */
export async function answersOf(trigger: Trigger, signal: AbortSignal): Promise<Answered> {
  const answer = await trigger.answer({ signal }).catch((reason: unknown) => ScalerError.from(reason));
  const known = (): Answer => {
    if (answer instanceof ScalerError) throw answer;
    return answer;
  };
  const spec = attempt(() => trigger.spec);
  if (spec instanceof ScalerError) return refusedAnswers(spec);
  const number = () => toMetrics(trigger, spec.metricName, known()).metricValues[0];
  const activity = activityAnswers(() => known().active);
  return {
    answers: [
      ...(answer instanceof ScalerError ? activity.map(silentWithoutAnswer) : activity),
      ...specAnswers(() => spec),
      answered('GetMetrics', number),
    ],
    target: spec.target.perReplica,
    ...(!(answer instanceof ScalerError) && { active: answer.active }),
    ...('value' in answer && { value: answer.value }),
    unreachable: answer instanceof ScalerError && answer.code === 'unavailable',
  };
}

/** Every RPC of a trigger that is refused says why. */
export function refusedAnswers(error: ScalerError): Answered {
  const answers = allRpcs.map((rpc) =>
    answered(rpc, () => {
      throw error;
    }),
  );
  return { answers, unreachable: false };
}

export function activityAnswers(active: () => boolean): AnswerView[] {
  const make = () => ({ ...toActivity({ active: active() }) });
  return [answered('IsActive', make), answered('StreamIsActive', make)];
}

export function specAnswers(spec: () => Spec): AnswerView[] {
  const make = () => toSpecs(spec()).metricSpecs[0];
  return [answered('GetMetricSpec', make), answered('StreamMetricSpec', make)];
}

export type Fields = Readonly<Record<string, string | number | boolean>>;

/** What an RPC answers, or how it fails. */
export function answered(rpc: Rpc, make: () => Fields | undefined): AnswerView {
  const made = attempt(make);
  if (made instanceof ScalerError) {
    const { code, details } = toStatus(made);
    return { rpc, kind: 'error', code: codeName(code), message: details };
  }
  const fields = Object.entries(made ?? {}).map(([name, value]) => [name, String(value)]);
  return { rpc, kind: 'answer', fields: Object.fromEntries(fields) };
}

/** A stream sends no errors: KEDA would only open it again. */
function silentWithoutAnswer(answer: AnswerView): AnswerView {
  return answer.rpc === 'StreamIsActive' ? { rpc: answer.rpc, kind: 'silent' } : answer;
}
