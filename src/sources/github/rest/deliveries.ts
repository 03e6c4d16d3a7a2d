import type { z } from 'zod';
import type { Logger } from '../../../telemetry/log.ts';
import type { FailedDelivery } from '../api.ts';
import type { Client, Page } from './client.ts';
import type { About } from './errors.ts';
import { listOf } from './readable.ts';
import { type DeliveryShape, deliveryShape } from './shapes.ts';

/** 2,000 deliveries a call; what failed before them is found by the sweep. */
const maxPages = 20;
const events: ReadonlySet<string> = new Set(['workflow_job', 'workflow_run']);

const about: About = {
  what: "the App's deliveries",
  missing: "check that the App's webhook is active",
};

/** What GitHub has sent to the App's webhook. */
export class Deliveries {
  private readonly client: Client;
  private readonly schema: z.ZodType<DeliveryShape[]>;

  constructor(client: Client, log: Logger) {
    this.client = client;
    this.schema = listOf(deliveryShape, 'a delivery', log);
  }

  /**
   * Deliveries since `sinceMs` (GitHub's clock) of which none has succeeded, the newest of each event. A receiver that
   * did not answer has the status code 0, which GitHub's own filter `status=failure` is not known to find: all are read.
   * @param installationId the installation whose deliveries count; undefined: all of the App's
   */
  async failed(
    sinceMs: number,
    installationId: number | undefined,
    signal: AbortSignal,
  ): Promise<FailedDelivery[]> {
    const failed = new Map<string, FailedDelivery>();
    const succeeded = new Set<string>();
    let query: string | undefined = 'per_page=100';
    for (let pages = 0; pages < maxPages && query !== undefined; pages += 1) {
      const page = await this.page(query, signal);
      const recent = page.value.filter(({ delivered_at: atMs }) => atMs === undefined || atMs >= sinceMs);
      for (const delivery of recent) {
        if (concerns(delivery, installationId)) take(delivery, failed, succeeded);
      }
      query = recent.length < page.value.length ? undefined : page.next;
    }
    return [...failed.values()].filter(({ guid }) => !succeeded.has(guid));
  }

  /** Has GitHub make a delivery again. */
  async redeliver({ deliveryId }: FailedDelivery, signal: AbortSignal): Promise<void> {
    const path = `/app/hook/deliveries/${encodeURIComponent(deliveryId)}/attempts`;
    await this.client.post({ operation: 'redeliver', as: 'app', path, about }, signal);
  }

  private page(query: string, signal: AbortSignal): Promise<Page<DeliveryShape[]>> {
    const { schema } = this;
    const path = '/app/hook/deliveries';
    return this.client.page({ operation: 'deliveries', as: 'app', path, query, schema, about }, signal);
  }
}

function concerns(
  { event, installation_id: id }: DeliveryShape,
  installationId: number | undefined,
): boolean {
  return events.has(event) && (installationId === undefined || id === installationId);
}

/** Newest first: a success stands before the failures it makes good. */
function take(delivery: DeliveryShape, failed: Map<string, FailedDelivery>, succeeded: Set<string>): void {
  const { id: deliveryId, guid, status_code: code } = delivery;
  if (code >= 200 && code <= 299) succeeded.add(guid);
  else if (!failed.has(guid)) failed.set(guid, { deliveryId, guid });
}
