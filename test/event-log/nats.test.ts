import { expect, it } from 'vitest';
import { followed, inbound } from '../support/event-store.ts';
import { newStream, openNatsLog } from '../support/nats/event-log.ts';
import { useNats } from '../support/nats/server.ts';

const nats = useNats();

const facts = (seen: ReturnType<typeof followed>) => seen.facts;

it('what one pod appends reaches the others, and one that comes later, in order', async () => {
  const stream = newStream();
  const [a, b] = await Promise.all([
    openNatsLog({ urls: nats().urls, stream }),
    openNatsLog({ urls: nats().urls, stream }),
  ]);
  const seen = followed(b.events.feedOf('ci'));
  for (let fact = 1; fact <= 20; fact += 1) await a.events.append(inbound(fact));
  const all = Array.from({ length: 20 }, (_, i) => i + 1);
  await expect.poll(() => facts(seen)).toEqual(all);
  const c = await openNatsLog({ urls: nats().urls, stream });
  const later = followed(c.events.feedOf('ci'));
  await later.replayed;
  expect(facts(later)).toEqual(all);
});
