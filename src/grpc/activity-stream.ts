import type { ServerWritableStream } from '@grpc/grpc-js';
import type { Activity } from './desk.ts';
import type { IsActiveResponse } from './generated/externalscaler/IsActiveResponse.ts';
import { Outbox } from './outbox.ts';

/** When an edge is confirmed. A poll that was under way at the edge is done by then. */
export const confirmMs = 2000;

/**
 * What one StreamIsActive says: the state on open, `true` on each edge, and one more `true` if the trigger is
 * still active `confirmMs` after it, since a poll under way can undo the first (KEDA v2.21 pkg/scaling/executor
 * writes 0 on a decision taken before the edge). Never more: each `true` restarts KEDA's cooldown. `false` is
 * said on open only, KEDA ignores it (pkg/scaling/scale_handler.go, since v2.18).
 */
export class ActivityStream {
  private readonly outbox: Outbox<IsActiveResponse>;
  private readonly confirmMs: number;
  private opened = false;
  private confirmation: NodeJS.Timeout | undefined;

  constructor(call: ServerWritableStream<unknown, IsActiveResponse>, confirmAfterMs = confirmMs) {
    this.outbox = new Outbox(call);
    this.confirmMs = confirmAfterMs;
  }

  told({ active, edge }: Activity): void {
    const first = !this.opened;
    this.opened = true;
    if (!active) {
      clearTimeout(this.confirmation);
      // A `true` that has not left yet would be a lie by now.
      this.outbox.retract();
    }
    if (first || (active && edge)) this.outbox.send({ result: active });
    if (active && edge) this.confirmLater();
  }

  close(): void {
    clearTimeout(this.confirmation);
    this.outbox.close();
  }

  private confirmLater(): void {
    clearTimeout(this.confirmation);
    this.confirmation = setTimeout(() => this.outbox.send({ result: true }), this.confirmMs);
  }
}
