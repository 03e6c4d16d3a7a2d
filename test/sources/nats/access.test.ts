import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JetStreamUser } from '../../support/nats/jetstream.ts';
import { day, type NatsTriggers, openNats, rarely } from '../../support/nats/nats-triggers.ts';
import { useNats } from '../../support/nats/server.ts';

const questions = '"$JS.API.STREAM.INFO.*", "$JS.API.CONSUMER.INFO.*.*"';
const password = 'a-password';

/** `reader` and `listener` have the permissions in docs/nats.md. */
const accounts = `
accounts {
  SHOP {
    jetstream: enabled
    exports: [{ service: "$JS.API.>" }]
    users: [
      { user: admin, password: ${password} }
      { user: reader, password: ${password}, permissions: { publish: [${questions}], subscribe: ["_INBOX.>"] } }
      { user: listener, password: ${password}, permissions: { publish: [${questions}], subscribe: ["_INBOX.>", "orders.>"] } }
      { user: nobody, password: ${password}, permissions: { publish: ["nothing"], subscribe: ["_INBOX.>"] } }
    ]
  }
  BESIDE {
    imports: [{ service: { account: SHOP, subject: "$JS.API.>" } }]
    users: [{ user: beside, password: ${password} }]
  }
  BARE { users: [{ user: bare, password: ${password} }] }
}
`;

describe('a user', () => {
  const nats = useNats({ config: accounts });
  let admin: JetStreamUser;
  beforeAll(async () => {
    admin = await JetStreamUser.connect(nats().urls, { user: 'admin', pass: password });
  });
  afterAll(() => admin.close());
  const open = (username: string, more = {}) =>
    openNats({ servers: [...nats().urls], username, password, ...rarely, ...more });

  it('needs only the rights to ask and listen', async () => {
    const on = open('listener');
    const trigger = { ...(await admin.stream({ subjects: ['orders.>'] })), maxStalenessSeconds: day };
    await on.becomes(trigger, 0);
    const told = on.follow(trigger);
    await on.comesToRest();
    await admin.publish('orders.a');
    await expect.poll(() => told.at(-1), { interval: 5 }).toEqual({ active: true, edge: true });
    expect(await on.wakes('message')).toBe(1);
    expect(warnings(on)).toEqual([]);
  });

  it('who may not listen has consumers read at their pace, which is logged once', async () => {
    const on = open('reader');
    const triggers = [await admin.stream(), await admin.stream()].map((each) => ({
      ...each,
      maxStalenessSeconds: day,
    }));
    for (const trigger of triggers) {
      await on.becomes(trigger, 0);
      const told = on.follow(trigger);
      await admin.publish(`${trigger.stream}.a`);
      await expect.poll(() => told.at(-1), { interval: 5 }).toEqual({ active: true, edge: true });
    }
    expect(await on.wakes('message')).toBe(0);
    expect(warnings(on)).toEqual([expect.stringContaining('subscribing is not allowed')]);
  });

  it('who hears nothing, though messages come, has the consumer read at its pace', async () => {
    const on = open('beside', { reconcileSeconds: 1 });
    const trigger = { ...(await admin.stream()), activationLagThreshold: '2' };
    await on.becomes(trigger, 0);
    await expect.poll(() => on.requests('CONSUMER.INFO').then((count) => count > 12)).toBe(true);
    await admin.publish(`${trigger.stream}.a`);
    await expect.poll(() => warnings(on)).toEqual([expect.stringContaining('not heard')]);
    const before = await on.reads();
    await expect.poll(() => on.reads()).toBeGreaterThan(before + 15);
  });

  it.each([
    ['has a wrong password', 'admin', 'wrong', /refuses the login: check the credentials/],
    ['may not ask', 'nobody', password, /does not allow it: .*Publish to .*STREAM\.INFO/],
    [
      'is of an account without JetStream',
      'bare',
      password,
      /JetStream is not enabled for the connection's account|has no JetStream for this account and domain/,
    ],
  ])('who %s gets that error', async (_, username, given, error) => {
    const on = open(username, { password: given });
    await on.refuses({ stream: 'orders', consumer: 'worker' }, error);
    expect(await on.refusal({ stream: 'orders', consumer: 'worker' })).not.toContain(given);
  });
});

/** The source's own warnings. Those about surges come from another part. */
function warnings({ log }: NatsTriggers): string[] {
  return log.lines.map(({ message }) => message).filter((message) => !message.startsWith('KEDA '));
}
