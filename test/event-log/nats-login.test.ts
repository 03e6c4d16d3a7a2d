import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeCertificates } from '../support/certificates.ts';
import { followed, inbound } from '../support/event-store.ts';
import { newStream, openNatsLog } from '../support/nats/event-log.ts';
import { operatorMode } from '../support/nats/operator.ts';
import { useNats } from '../support/nats/server.ts';

type Settings = NonNullable<Parameters<typeof openNatsLog>[0]['settings']>;

async function works(urls: readonly string[], settings: Settings) {
  const { events } = await openNatsLog({ urls, stream: newStream(), settings });
  await events.append(inbound(1));
  const seen = followed(events.feedOf('ci'));
  await seen.replayed;
  expect(seen.facts).toEqual([1]);
}

async function says(urls: readonly string[], settings: Settings, what: RegExp) {
  const { log } = await openNatsLog({ urls, stream: newStream(), settings });
  await expect.poll(() => log.text()).toMatch(what);
  return log.text();
}

describe('a user with a password', () => {
  const nats = useNats({ config: 'authorization { user: scaler, password: "s3cret-pass" }' });

  it('is let in', () => works(nats().urls, { username: 'scaler', password: 's3cret-pass' }));

  it('is refused with another one, and no password is in the log', async () => {
    const said = await says(
      nats().urls,
      { username: 'scaler', password: 'wr0ng-pass' },
      /refuses the login: check the credentials, the user and password, or the token/,
    );
    expect(said).not.toContain('wr0ng-pass');
  });
});

describe('an address with tls://', () => {
  const nats = useNats({ config: 'authorization { user: scaler, password: "s3cret-pass" }' });

  it('never sends a password to a server without TLS', async () => {
    const urls = nats().urls.map((url) => url.replace('nats:', 'tls:'));
    const login = { username: 'scaler', password: 's3cret-pass' };
    expect(await says(urls, login, /does not support 'tls'/)).not.toContain('connected to NATS');
  });
});

describe('a token', () => {
  const nats = useNats({ config: 'authorization { token: "t0ken-for-us" }' });

  it('admits', () => works(nats().urls, { token: 't0ken-for-us' }));
  it('does not if it is another', async () => {
    await says(nats().urls, { token: 'another' }, /refuses the login/);
  });
});

describe('credentials of an operator, over TLS', () => {
  const dir = mkdtempSync(join(tmpdir(), 'backlog-scaler-nats-tls-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  const { ca, server } = makeCertificates(dir);
  const { config, creds } = operatorMode();
  const tls = `tls { cert_file: "${server.cert}", key_file: "${server.key}" }`;
  const nats = useNats({ config: `${config}\n${tls}` });
  const trusted = { ca: readFileSync(ca, 'utf8'), insecureSkipVerify: false };

  it('admit', () => works(nats().urls, { credentials: creds, tls: trusted }));

  it('do not if they belong to another operator', async () => {
    await says(nats().urls, { credentials: operatorMode().creds, tls: trusted }, /refuses the login/);
  });

  it('do not help if the certificate is not trusted', async () => {
    const untrusted = { credentials: creds, tls: { insecureSkipVerify: false } };
    await says(nats().urls, untrusted, /shows a TLS certificate that is not accepted.*tls\.caFile/);
  });
});

describe('an account', () => {
  const nats = useNats({
    config: `accounts {
  JS { jetstream: enabled, users: [
    { user: all, password: p },
    { user: reads, password: p, permissions: { publish: { deny: ["$JS.API.STREAM.CREATE.>"] } } }
    { user: some, password: p, permissions: { publish: { deny: ["*.events.bad"] } } }
    { user: writes, password: p, permissions: { publish: { deny: ["$JS.API.CONSUMER.CREATE.>"] } } }
  ] }
  NONE { users: [{ user: none, password: p }] }
}`,
  });

  it('without JetStream is reported', async () => {
    await says(
      nats().urls,
      { username: 'none', password: 'p' },
      /NATS has no JetStream for this account and domain: enable it/,
    );
  });

  it('whose user may not make the stream: the permission is named', async () => {
    await says(
      nats().urls,
      { username: 'reads', password: 'p' },
      /does not allow it.*\$JS\.API\.STREAM\.CREATE/,
    );
  });

  it('whose user may not read the stream: the permission is named, once', async () => {
    const settings = { username: 'writes', password: 'p' };
    const { events, log } = await openNatsLog({ urls: nats().urls, stream: newStream(), settings });
    const feed = events.feedOf('ci');
    followed(feed);
    await expect.poll(() => feed.unreadable?.()?.message).toMatch(/does not allow it.*CONSUMER\.CREATE/);
    await expect
      .poll(() => log.messages('error').sort())
      .toEqual([
        expect.stringContaining('the event log cannot read the events of a connection'),
        expect.stringContaining('the user of NATS lacks a permission'),
      ]);
  });

  it('whose user may not send events of one connection: those of the others go on', async () => {
    const stream = newStream();
    const open = (username: string) =>
      openNatsLog({ urls: nats().urls, stream, settings: { username, password: 'p' } });
    const { events } = await open('some');
    await followed(events.feedOf('good')).replayed;
    const bad = Array.from({ length: 300 }, (_, fact) => events.append(inbound(fact, 'bad')));
    await Promise.all([...bad, events.append(inbound(1, 'good'))]);
    const seen = followed((await open('all')).events.feedOf('good'));
    await expect.poll(() => seen.facts).toEqual([1]);
  });

  it('has no such domain', async () => {
    const settings = { username: 'all', password: 'p', domain: 'hub' };
    await says(nats().urls, settings, /NATS has no JetStream for this account and domain/);
  });
});
