import { ScalerError } from '../errors.ts';
import { wire, wireTarget } from '../scaling/metric.ts';
import type { Trigger } from '../triggers/trigger.ts';
import type { AnswerView, Rpc } from './view.ts';

/** What the RPCs answer of one trigger. */
export interface Answered {
  readonly answers: readonly AnswerView[];
  readonly active?: boolean | undefined;
  readonly value?: number | undefined;
  readonly target?: number | undefined;
  readonly notes: readonly string[];
  readonly unreachable: boolean;
}

/** What an error is on the wire. */
export type AsStatus = (reason: unknown) => { readonly code: string; readonly message: string };

export function answer(rpc: Rpc, fields: Readonly<Record<string, string>>): AnswerView {
  return { rpc, kind: 'answer', fields };
}

export function specAnswers(name: string, perReplica: number): AnswerView[] {
  const { int, float } = wireTarget({ perReplica });
  const fields = { metricName: name, targetSizeFloat: String(float), targetSize: int };
  return [answer('GetMetricSpec', fields), answer('StreamMetricSpec', fields)];
}

export function valueAnswer(name: string, value: number): AnswerView {
  const { int, float } = wire(value);
  return answer('GetMetrics', { metricName: name, metricValueFloat: String(float), metricValue: int });
}

export function activity(active: boolean): AnswerView[] {
  const fields = { result: String(active) };
  return [answer('IsActive', fields), answer('StreamIsActive', fields)];
}

/** Of a trigger that may be refused: `find` throws then. One that is cold is waited for until `signal` aborts. */
export async function answersOf(
  find: () => Trigger,
  asStatus: AsStatus,
  signal: AbortSignal,
): Promise<Answered> {
  const failed = (rpc: Rpc, reason: unknown): AnswerView => ({ rpc, kind: 'error', ...asStatus(reason) });
  try {
    const trigger = find();
    const { metricName: name, target } = trigger.spec;
    const specs = specAnswers(name, target.perReplica);
    const common = { target: target.perReplica, notes: [], unreachable: false };
    try {
      const got = await trigger.answer({ signal });
      if (got.kind === 'uncounted') {
        const state = got.active ? 'is active' : 'is inactive';
        const error = new ScalerError('unavailable', `${state}, its number is not known yet: ${got.why}`);
        const answers = [...activity(got.active), ...specs, failed('GetMetrics', error)];
        return { ...common, answers, active: got.active };
      }
      const { value, active } = got;
      return { ...common, answers: [...activity(active), ...specs, valueAnswer(name, value)], value, active };
    } catch (reason) {
      const answers = [failed('IsActive', reason), ...specs, failed('GetMetrics', reason)];
      const notes = ['StreamIsActive says nothing while nothing is known.'];
      return { ...common, answers, notes, unreachable: ScalerError.from(reason).code === 'unavailable' };
    }
  } catch (reason) {
    const rpcs: Rpc[] = ['IsActive', 'StreamIsActive', 'GetMetricSpec', 'StreamMetricSpec', 'GetMetrics'];
    return { answers: rpcs.map((rpc) => failed(rpc, reason)), notes: [], unreachable: false };
  }
}
