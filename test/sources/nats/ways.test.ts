import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeCertificates } from '../../support/certificates.ts';
import { freePort } from '../../support/free-port.ts';
import { JetStreamUser } from '../../support/nats/jetstream.ts';
import { day, openNats, rarely } from '../../support/nats/nats-triggers.ts';
import { useNats } from '../../support/nats/server.ts';

describe('a server with TLS, for clients with certificates', () => {
  const directory = mkdtempSync(join(tmpdir(), 'backlog-scaler-nats-tls-'));
  const { ca, server, client } = makeCertificates(directory);
  afterAll(() => rmSync(directory, { recursive: true }));
  const files = {
    ca: readFileSync(ca, 'utf8'),
    cert: readFileSync(client.cert, 'utf8'),
    key: readFileSync(client.key, 'utf8'),
  };
  const nats = useNats({
    config: `tls { cert_file: "${server.cert}", key_file: "${server.key}", ca_file: "${ca}", verify: true }`,
  });
  const refuses = (tls: object | undefined, error: RegExp) =>
    openNats({ servers: [...nats().urls], ...(tls && { tls }) }).refuses(
      { stream: 'nowhere', consumer: 'worker' },
      error,
    );

  it('can be used with one', async () => {
    await refuses(files, /^not_found: .*has no such stream/);
  });

  it.each([
    ['no authority', undefined, /shows a TLS certificate that is not accepted .*set `tls.caFile`/],
    ['no certificate of our own', { ca: files.ca }, /^unavailable: .*NATS at/],
  ])('reports with %s what is missing', async (_, tls, error) => {
    await refuses(tls, error);
  });
});

describe('a JetStream domain', async () => {
  const port = await freePort();
  const hub = useNats({ domain: 'hub', config: `leafnodes { listen: "127.0.0.1:${port}" }` });
  const leaf = useNats({
    domain: 'leaf',
    config: `leafnodes { remotes: [{ url: "nats-leaf://127.0.0.1:${port}" }] }`,
  });

  it('is reached through a leaf node, and its messages wake', async () => {
    const user = await JetStreamUser.connect(hub().urls);
    const trigger = { ...(await user.stream()), maxStalenessSeconds: day };
    const on = openNats({ servers: [...leaf().urls], domain: 'hub', ...rarely });
    await on.becomes(trigger, 0);
    const told = on.follow(trigger);
    await on.comesToRest();
    await user.publish(`${trigger.stream}.a`, 2);
    await expect.poll(() => told.at(-1), { interval: 5 }).toEqual({ active: true, edge: true });
    await on.becomes(trigger, 2);
    expect(await on.wakes('message')).toBe(1);
    await user.close();
  });

  it('that does not exist is reported', async () => {
    const on = openNats({ servers: [...leaf().urls], domain: 'nowhere' });
    expect(await on.refusal({ stream: 'orders', consumer: 'worker' })).toMatch(
      /has no JetStream for this account and domain: enable it/,
    );
  });
});
