import { ScalerError } from '../errors.ts';
import type { AnySource, Reading, SubjectView } from '../sources/source.ts';
import type { Trigger } from '../trigger/trigger.ts';

/**
 * The readings of one snapshot. Triggers that ask the same of it share one: a thousand ScaledObjects of a
 * subject cost what one costs.
 */
export class Readings {
  private readonly source: AnySource;
  private readonly view: SubjectView<unknown, unknown>;
  private readonly shared = new Map<boolean | undefined, Map<string, Reading>>();

  constructor(source: AnySource, view: SubjectView<unknown, unknown>) {
    this.source = source;
    this.view = view;
  }

  get nowMs(): number {
    return this.view.nowMs;
  }

  of({ params, paramsKey }: Trigger, wasActive: boolean | undefined): Reading {
    const byParams = this.shared.get(wasActive) ?? new Map<string, Reading>();
    this.shared.set(wasActive, byParams);
    const reading = byParams.get(paramsKey) ?? this.evaluate(params, wasActive);
    byParams.set(paramsKey, reading);
    return reading;
  }

  /** A rule that throws is a fault of ours, and of those alone who asked this. */
  private evaluate(params: unknown, wasActive: boolean | undefined): Reading {
    try {
      // In this order: Node 20 puts an object that grows after a spread straight into the old generation.
      return this.source.evaluate(params, { wasActive, ...this.view });
    } catch (reason) {
      return { kind: 'unknown', error: ScalerError.from(reason) };
    }
  }
}
