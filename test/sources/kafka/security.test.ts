import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { grant } from '../../support/kafka/acls.ts';
import { type TestKafka, useKafka } from '../../support/kafka/broker.ts';
import { type KafkaSettings, type KafkaTriggers, openKafka } from '../../support/kafka/kafka-triggers.ts';
import { tokenEndpoint } from '../../support/kafka/token-endpoint.ts';
import { tlsFront } from '../../support/tls-front.ts';

const directory = mkdtempSync(join(tmpdir(), 'backlog-scaler-tls-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function certificates(name: string, options: Parameters<typeof makeCertificates>[1] = {}): Certificates {
  const path = join(directory, name);
  mkdirSync(path);
  return makeCertificates(path, options);
}

const ours = certificates('ours');
const theirs = certificates('theirs');
const pem = (path: string) => readFileSync(path, 'utf8');
const ca = pem(ours.ca);
const client = { cert: pem(ours.client.cert), key: pem(ours.client.key) };
const password = 'a-pass-word-of-ours';
const app = { clientId: 'an-app', clientSecret: 'a secret of ours' };
const wrongPassword = 'not-the-pass-word';
/** Sessions end this long after their login, so that every test renews some. */
const maxReauthMs = 5000;

describe('a broker with TLS, users and ACLs', () => {
  const kafka = useKafka({
    heapMiB: 256,
    users: { scaler: password, stranger: password },
    oauthBearer: true,
    acls: true,
    maxReauthMs,
    tls: { serverBundleFile: ours.server.bundle, caFile: ours.ca, clientAuth: 'required' },
  });
  let prepared: Promise<{ topic: string; consumerGroup: string }> | undefined;

  /** A topic with three records, one of which the visible group `scaler` has handled. */
  function orders(): Promise<{ topic: string; consumerGroup: string }> {
    prepared ??= prepare(kafka());
    return prepared;
  }

  async function prepare(on: TestKafka) {
    const topic = await on.createTopic();
    const consumerGroup = on.name('group');
    await on.produce(topic, 3);
    await on.commit(consumerGroup, topic, { 0: 1 });
    await grant(on, { user: 'scaler', operation: 'describe', kind: 'topic', name: topic });
    await grant(on, { user: 'scaler', operation: 'read', kind: 'topic', name: topic });
    await grant(on, { user: 'scaler', operation: 'describe', kind: 'group', name: consumerGroup });
    return { topic, consumerGroup };
  }

  type Listener = 'sasl' | 'tls' | 'saslTls';
  const open = (listener: Listener, settings: Omit<KafkaSettings, 'bootstrapServers'>): KafkaTriggers =>
    openKafka({ bootstrapServers: [...kafka().cluster.bootstrap[listener]], ...settings });
  const scaler = { username: 'scaler', password };

  it.each<[string, Listener, () => Omit<KafkaSettings, 'bootstrapServers'>]>([
    ['SASL PLAIN', 'sasl', () => ({ sasl: { mechanism: 'plain', ...scaler } })],
    ['SCRAM-SHA-256', 'sasl', () => ({ sasl: { mechanism: 'scram-sha-256', ...scaler } })],
    [
      'SCRAM-SHA-512 over TLS',
      'saslTls',
      () => ({ tls: { ca }, sasl: { mechanism: 'scram-sha-512', ...scaler } }),
    ],
    ['SASL PLAIN over TLS', 'saslTls', () => ({ tls: { ca }, sasl: { mechanism: 'plain', ...scaler } })],
  ])('lets us in by %s', async (_, listener, settings) => {
    expect(await open(listener, settings()).value(await orders())).toBe(2);
  });

  it('lets us in by mTLS', async () => {
    const { topic, consumerGroup } = await orders();
    const user = 'CN=keda-operator';
    await grant(kafka(), { user, operation: 'describe', kind: 'topic', name: topic });
    await grant(kafka(), { user, operation: 'describe', kind: 'group', name: consumerGroup });
    const on = open('tls', { tls: { ca, ...client } });
    await on.becomes({ topic, consumerGroup }, 2);
  });

  it('lets us in by OAUTHBEARER, with one token for all sockets', async () => {
    const endpoint = await tokenEndpoint(app, { subject: 'scaler', lifetimeSeconds: 600 });
    const sasl = { mechanism: 'oauthbearer', tokenEndpoint: endpoint.url, ...app } as const;
    expect(await open('sasl', { sasl }).value(await orders())).toBe(2);
    expect(endpoint.issued()).toBe(1);

    const wrong = open('sasl', { sasl: { ...sasl, clientSecret: wrongPassword } });
    const refusal = await wrong.refusal(await orders());
    expect(refusal).toMatch(
      /^unavailable: .*token endpoint at 127.0.0.1:\d+ answers HTTP 401 invalid_client/,
    );
    expect(refusal + JSON.stringify(wrong.log.lines)).not.toContain(wrongPassword);

    const expired = await tokenEndpoint(app, { subject: 'scaler', lifetimeSeconds: -100 });
    const late = open('sasl', { sasl: { ...sasl, tokenEndpoint: expired.url } });
    expect(await late.refusal(await orders())).toMatch(
      /^unavailable: .*refuses the bearer token \(invalid_token\)/,
    );
  });

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'refuses a wrong password for %s, which nobody gets to read',
    async (mechanism) => {
      const on = open('saslTls', {
        tls: { ca },
        sasl: { mechanism, username: 'scaler', password: wrongPassword },
      });
      const refusal = await on.refusal(await orders());
      expect(refusal).toMatch(
        /^unavailable: .*broker localhost:\d+ refuses the login: check the user and password/,
      );
      expect(on.log.lines.length).toBeGreaterThan(0);
      expect(refusal + JSON.stringify(on.log.lines)).not.toContain(wrongPassword);
    },
  );

  it.each<[string, Listener, () => Omit<KafkaSettings, 'bootstrapServers'>, RegExp]>([
    [
      'an unknown authority',
      'saslTls',
      () => ({ tls: { ca: pem(theirs.ca) }, sasl: { mechanism: 'plain', ...scaler } }),
      /shows a TLS certificate of an unknown authority: `tls.caFile` must hold/,
    ],
    [
      'no client certificate',
      'tls',
      () => ({ tls: { ca } }),
      /wants a client certificate \(mTLS\).*: set `tls.certFile`/,
    ],
    [
      'a client certificate of another authority',
      'tls',
      () => ({ tls: { ca, cert: pem(theirs.client.cert), key: pem(theirs.client.key) } }),
      /wants a client certificate \(mTLS\) and refuses the one it got: set `tls.certFile`/,
    ],
    [
      'TLS where there is none',
      'sasl',
      () => ({ tls: { ca }, sasl: { mechanism: 'plain', ...scaler } }),
      /does not speak TLS on this listener|broke the TLS handshake off|closed the connection/,
    ],
    ['no TLS where there is some', 'tls', () => ({}), /check whether this listener wants `tls`|wants `tls`/],
    ['no login where one is wanted', 'sasl', () => ({}), /check whether this listener wants `tls` or `sasl`/],
  ])('says what is wrong: %s', async (_, listener, settings, message) => {
    expect(await open(listener, settings()).refusal(await orders())).toMatch(message);
  });

  it.each<[string, Parameters<typeof makeCertificates>[1], RegExp]>([
    [
      'an expired certificate',
      { expired: true },
      /shows a TLS certificate that has expired: renew it on the broker/,
    ],
    [
      "a certificate for another broker's name",
      { serverAltNames: 'DNS:kafka.example' },
      /shows a TLS certificate for another host name/,
    ],
  ])('says what is wrong: %s', async (name, options, message) => {
    const shown = certificates(name.replaceAll(/\W/g, '-'), { authority: ours.ca, ...options });
    const port = await tlsFront(kafka().cluster.broker(1).node.ports.plain, shown.server);
    const server = `localhost:${port}`;
    expect(await openKafka({ bootstrapServers: [server], tls: { ca } }).refusal(await orders())).toMatch(
      message,
    );
  });

  it('names the missing right', async () => {
    const { topic, consumerGroup } = await orders();
    const on = open('sasl', { sasl: { mechanism: 'scram-sha-512', username: 'stranger', password } });
    const trigger = { topic, consumerGroup };
    expect(await on.refusal(trigger)).toMatch(
      new RegExp(`^unavailable: .*topic "${topic}".* grant it DESCRIBE on the topic`),
    );
    await grant(kafka(), { user: 'stranger', operation: 'describe', kind: 'topic', name: topic });
    await on.refuses(
      trigger,
      new RegExp(`^unavailable: .*group "${consumerGroup}".* grant it DESCRIBE on the group`),
    );
    await grant(kafka(), { user: 'stranger', operation: 'describe', kind: 'group', name: consumerGroup });
    await on.becomes(trigger, 2);
  });

  it('renews our login under load: no read fails, and the watch continues', async () => {
    const { topic, consumerGroup } = await orders();
    const on = open('saslTls', {
      tls: { ca },
      sasl: { mechanism: 'scram-sha-512', ...scaler },
      reconcileSeconds: 3600,
    });
    const quiet = await kafka().createTopic();
    for (const operation of ['describe', 'read'] as const) {
      await grant(kafka(), { user: 'scaler', operation, kind: 'topic', name: quiet });
    }
    await grant(kafka(), { user: 'scaler', operation: 'describe', kind: 'group', name: '*' });
    const watched = {
      topic: quiet,
      consumerGroup: kafka().name('group'),
      offsetResetPolicy: 'earliest',
      maxStalenessSeconds: '86400',
    };
    await on.becomes(watched, 0);
    const told = on.follow(watched);
    const busy = Array.from({ length: 20 }, (_, index) => ({
      topic,
      consumerGroup: `${consumerGroup}-${index}`,
    }));
    await Promise.all(busy.map((trigger) => on.becomes(trigger, 1)));
    // Some of its sessions end even earlier, with its tokens.
    const endpoint = await tokenEndpoint(app, { subject: 'scaler', lifetimeSeconds: 8 });
    const byToken = open('sasl', { sasl: { mechanism: 'oauthbearer', tokenEndpoint: endpoint.url, ...app } });
    await Promise.all(busy.map((trigger) => byToken.becomes(trigger, 1)));
    const logins = await on.requests('SaslAuthenticate');

    // One of the topics stays busy. The other goes quiet and is watched through more than one renewal.
    const until = performance.now() + 15_000 + 2 * maxReauthMs;
    while (performance.now() < until) {
      await kafka().produce(topic, 10);
      await sleep(100);
    }
    for (const board of [on, byToken]) {
      expect(await board.reads('error')).toBe(0);
      const said = board.log.lines.filter(({ level }) => level === 'warn' || level === 'error');
      expect(said).toEqual([]);
    }
    expect(endpoint.issued()).toBeGreaterThan(2);
    expect(await on.requests('Fetch')).toBeGreaterThan(0);
    expect((await on.requests('SaslAuthenticate')) - logins).toBeGreaterThan(4);
    await kafka().produce(quiet, 1);
    await expect
      .poll(() => told.at(-1), { timeout: 30_000, interval: 5 })
      .toEqual({ active: true, edge: true });
    expect(await on.wakes('record')).toBe(1);
  }, 60_000);
});
