import { seeded } from '../../random.ts';
import type { Happening } from '../happening.ts';

export type WhichHappening = (happening: Happening) => boolean;

interface Loss {
  readonly which: WhichHappening;
  left: number;
  /** The status code in the log. Undefined if not even the log has the delivery. */
  readonly statusCode: number | undefined;
}

/** The faults of deliveries, as a test wants them. */
export class Mishaps {
  private readonly losses: Loss[] = [];
  private delayOf: (happening: Happening) => number = () => 0;
  private windowMs = 0;
  private random = seeded(1);

  lose(which: number | WhichHappening, statusCode: number | undefined): void {
    this.losses.push(
      typeof which === 'number'
        ? { which: () => true, left: which, statusCode }
        : { which, left: Number.POSITIVE_INFINITY, statusCode },
    );
  }

  delay(delay: number | ((happening: Happening) => number)): void {
    this.delayOf = typeof delay === 'number' ? () => delay : delay;
  }

  shuffle(windowMs: number, seed: number): void {
    this.windowMs = windowMs;
    this.random = seeded(seed);
  }

  end(): void {
    this.losses.length = 0;
    this.delayOf = () => 0;
    this.windowMs = 0;
  }

  /** The loss that hits this event, if any. */
  lossOf(happening: Happening): { statusCode: number | undefined } | undefined {
    const loss = this.losses.find(({ which, left }) => left > 0 && which(happening));
    if (loss !== undefined) loss.left--;
    return loss;
  }

  waitMs(happening: Happening): number {
    return this.delayOf(happening) + this.random() * this.windowMs;
  }
}
