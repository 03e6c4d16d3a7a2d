import type { Hook } from './hook.ts';
import type { Outcome, Parcel } from './parcel.ts';

/** GitHub lists deliveries of the last three days. */
const keptMs = 3 * 86_400_000;

export interface Delivery extends Outcome {
  readonly id: number;
  readonly hook: Hook;
  readonly parcel: Parcel;
  readonly deliveredAtMs: number;
  readonly redelivery: boolean;
  readonly throttledAtMs: number | undefined;
}

/** Every attempt, whatever its outcome. If too many, the oldest are dropped. */
export class DeliveryLog {
  private readonly maxDeliveries: number;
  private readonly kept: Delivery[] = [];
  private lastId = 61_000_000_000;

  constructor(maxDeliveries: number) {
    this.maxDeliveries = maxDeliveries;
  }

  add(delivery: Omit<Delivery, 'id'>): Delivery {
    const entry = { id: ++this.lastId, ...delivery };
    this.kept.push(entry);
    if (this.kept.length > this.maxDeliveries * 1.25)
      this.kept.splice(0, this.kept.length - this.maxDeliveries);
    return entry;
  }

  find(id: number): Delivery | undefined {
    return this.kept.find((delivery) => delivery.id === id);
  }

  /** Newest first, of the last three days. */
  recent(nowMs: number): Delivery[] {
    return this.kept.filter(({ deliveredAtMs }) => deliveredAtMs > nowMs - keptMs).reverse();
  }
}
