import type { Delivery } from '../hooks/delivery-log.ts';
import { timestamp } from '../shapes/urls.ts';
import { type Answer, notFound, ok, refusal } from './answer.ts';
import { link, perPageOf } from './paging.ts';
import { linkUrl } from './repositories.ts';
import type { RestRequest, Route } from './request.ts';

const path = '/app/hook/deliveries';

export const deliveryRoutes: readonly Route[] = [
  { method: 'GET', template: path, by: 'app', answer: deliveries },
  { method: 'POST', template: `${path}/{delivery_id}/attempts`, by: 'app', answer: redeliver },
];

/** The deliveries of the App's hooks, newest first. A cursor is the ID of the page's first delivery. */
function deliveries(request: RestRequest): Answer {
  const query = request.url.searchParams;
  const perPage = perPageOf(request.url);
  const from = query.get('cursor');
  if (from !== null && !/^v1_\d+$/.test(from)) return refusal(400, 'Invalid cursor');
  const first = from === null ? Number.POSITIVE_INFINITY : Number(from.slice(3));
  const all = recent(request).filter(
    (delivery) => delivery.id <= first && has(delivery, query.get('status')),
  );
  const next = all[perPage];
  const headers =
    next === undefined ? {} : { link: link(linkUrl(request, path), { cursor: `v1_${next.id}` }, 'next') };
  return ok(all.slice(0, perPage).map(shape), headers);
}

function redeliver({ world, hooks, params }: RestRequest): Answer {
  const delivery = hooks.log.find(Number(params['delivery_id']));
  if (delivery === undefined || delivery.hook.of !== 'app') return notFound;
  if (!hooks.log.recent(world.now()).includes(delivery)) return refusal(422, 'Delivery is too old');
  hooks.redeliver(delivery.parcel.guid, delivery.hook);
  return { statusCode: 202, body: {} };
}

function recent({ hooks, world }: RestRequest): Delivery[] {
  return hooks.log.recent(world.now()).filter(({ hook }) => hook.of === 'app');
}

/** By status code alone, as GitHub describes the parameter. */
function has({ statusCode }: Delivery, status: string | null): boolean {
  if (status === 'success') return statusCode >= 200 && statusCode < 400;
  if (status === 'failure') return statusCode >= 400 && statusCode < 600;
  return true;
}

/** GitHub's `hook-delivery-item`. */
function shape(delivery: Delivery) {
  const { parcel, throttledAtMs } = delivery;
  return {
    id: delivery.id,
    guid: parcel.guid,
    delivered_at: timestamp(delivery.deliveredAtMs),
    redelivery: delivery.redelivery,
    duration: Math.round(delivery.durationSeconds * 100) / 100,
    status: delivery.status,
    status_code: delivery.statusCode,
    event: parcel.event,
    action: parcel.action,
    installation_id: parcel.installationId,
    repository_id: parcel.repositoryId,
    ...(throttledAtMs === undefined ? {} : { throttled_at: timestamp(throttledAtMs) }),
  };
}
