import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ScalerError } from '../../../../../../src/errors.ts';
import { apiKeys } from '../../../../../../src/sources/kafka/upstream/protocol/api.ts';
import type { SaslSecurity } from '../../../../../../src/sources/kafka/upstream/wire/security.ts';
import type { ReceivedRequest, Script } from '../../../../../support/kafka/scripted-broker.ts';
import { scriptedBroker } from '../../../../../support/kafka/scripted-broker.ts';
import { scriptedSasl } from '../../../../../support/kafka/scripted-sasl.ts';
import { anyAnswer, anyRequest, dialing, longMs } from './dialing.ts';

const { apiVersions, saslHandshake, saslAuthenticate, listOffsets } = apiKeys;
const plain: SaslSecurity = { mechanism: 'plain', username: 'alice', password: 'correct horse' };
const unavailable = (message: RegExp) =>
  expect.objectContaining({
    name: 'ScalerError',
    code: 'unavailable',
    message: expect.stringMatching(message),
  });

/** Makes kafkajs's clock for logins movable. Sockets keep the real one. */
function movableLoginClock(): (ms: number) => void {
  vi.useFakeTimers({ toFake: ['hrtime'] });
  onTestFinished(() => void vi.useRealTimers());
  return (ms) => void vi.advanceTimersByTime(ms);
}

const answerAll: Script = ({ apiKey, reply }) => {
  if (apiKey !== listOffsets) return false;
  reply(anyAnswer());
  return true;
};

describe('a login', () => {
  it('comes before anything else, and is counted', async () => {
    const sasl = scriptedSasl({ mechanism: 'PLAIN' });
    const broker = await scriptedBroker({ script: (request) => sasl.script(request) || answerAll(request) });
    const { dial, counted } = dialing({ tls: false, sasl: plain });
    await (await dial(broker.address)).send(anyRequest, longMs);
    expect(sasl.messages).toEqual(['\0alice\0correct horse']);
    expect(broker.received.map(({ apiKey }) => apiKey)).toEqual([
      apiVersions,
      saslHandshake,
      saslAuthenticate,
      listOffsets,
    ]);
    expect(counted).toEqual(['ApiVersions ok', 'SaslHandshake ok', 'SaslAuthenticate ok', 'ListOffsets ok']);
  });

  it('that is refused is reported without the password, and leaves no socket', async () => {
    const sasl = scriptedSasl({ mechanism: 'PLAIN', verdict: () => 'Invalid username or password' });
    const broker = await scriptedBroker({ script: sasl.script });
    const reason: unknown = await dialing({ tls: false, sasl: plain })
      .dial(broker.address)
      .catch((error: unknown) => error);
    expect(reason).toEqual(unavailable(/refuses the login: check the user and password/));
    expect(JSON.stringify(reason) + String(reason)).not.toContain('horse');
    await vi.waitFor(() => expect(broker.sockets.size).toBe(0));
  });

  it('of a mechanism the broker does not have names the setting', async () => {
    const broker = await scriptedBroker({ script: scriptedSasl({ mechanism: 'GSSAPI' }).script });
    const dial = dialing({ tls: false, sasl: plain }).dial(broker.address);
    await expect(dial).rejects.toThrow(
      unavailable(/does not take this SASL mechanism: check .*`sasl.mechanism`/),
    );
  });

  it('without an answer ends with the connect timeout', async () => {
    const sasl = scriptedSasl({ mechanism: 'PLAIN', verdict: () => 'silent' });
    const broker = await scriptedBroker({ script: sasl.script });
    const dial = dialing({ tls: false, sasl: plain }, 50).dial(broker.address);
    await expect(dial).rejects.toThrow(unavailable(/does not accept the connection within 50 ms/));
    await vi.waitFor(() => expect(broker.sockets.size).toBe(0));
  });

  it('by bearer token carries the token and its extensions (RFC 7628, KIP-342)', async () => {
    const sasl = scriptedSasl({ mechanism: 'OAUTHBEARER' });
    const broker = await scriptedBroker({ script: sasl.script });
    const token = async () => 'abc.def';
    await dialing({
      tls: false,
      sasl: { mechanism: 'oauthbearer', token, extensions: { logicalCluster: 'lkc-1' } },
    }).dial(broker.address);
    expect(sasl.messages).toEqual(['n,,\u0001auth=Bearer abc.def\u0001logicalCluster=lkc-1\u0001\u0001']);
  });

  it('by a refused token fails, although the broker answers without an error code', async () => {
    const challenge = Buffer.from('{"status":"invalid_token"}');
    const broker = await scriptedBroker({
      script: scriptedSasl({ mechanism: 'OAUTHBEARER', challenge }).script,
    });
    const refused = vi.fn();
    const token = Object.assign(async () => 'x', { refused });
    const dial = dialing({ tls: false, sasl: { mechanism: 'oauthbearer', token } }).dial(broker.address);
    await expect(dial).rejects.toThrow(unavailable(/refuses the bearer token \(invalid_token\)/));
    expect(refused.mock.calls).toEqual([['x']]);
  });

  it('by a token that the broker refuses with an error code says so to who issues it', async () => {
    const verdict = () => 'no such token';
    const broker = await scriptedBroker({
      script: scriptedSasl({ mechanism: 'OAUTHBEARER', verdict }).script,
    });
    const refused = vi.fn();
    const token = Object.assign(async () => 'x', { refused });
    const dial = dialing({ tls: false, sasl: { mechanism: 'oauthbearer', token } }).dial(broker.address);
    await expect(dial).rejects.toThrow(unavailable(/refuses the login/));
    expect(refused.mock.calls).toEqual([['x']]);
  });

  it('without a token says why it has none', async () => {
    const broker = await scriptedBroker({ script: scriptedSasl({ mechanism: 'OAUTHBEARER' }).script });
    const token = () => Promise.reject(new ScalerError('unavailable', 'the token endpoint is down'));
    const dial = dialing({ tls: false, sasl: { mechanism: 'oauthbearer', token } }).dial(broker.address);
    await expect(dial).rejects.toThrow(unavailable(/^the token endpoint is down$/));
  });
});

describe('a login whose session ends (KIP-368)', () => {
  it('is renewed with nothing else under way: pending requests are answered, new ones wait', async () => {
    const advance = movableLoginClock();
    const sasl = scriptedSasl({ mechanism: 'PLAIN', lifetimeMs: 5000 });
    const held: ReceivedRequest[] = [];
    const broker = await scriptedBroker({
      script: (request) => {
        if (sasl.script(request)) return true;
        if (request.apiKey !== listOffsets) return false;
        held.push(request);
        return true;
      },
    });
    const wire = await dialing({ tls: false, sasl: plain }).dial(broker.address);
    const keysSince = (from: number) => broker.received.slice(from).map(({ apiKey }) => apiKey);
    const early = wire.send(anyRequest, longMs);
    await vi.waitFor(() => expect(keysSince(3)).toEqual([listOffsets]));

    advance(4100);
    const late = [wire.send(anyRequest, longMs), wire.send(anyRequest, longMs)];
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(keysSince(4)).toEqual([]);

    held.shift()?.reply(anyAnswer());
    await early;
    await vi.waitFor(() => expect(held).toHaveLength(2));
    expect(keysSince(4)).toEqual([saslHandshake, saslAuthenticate, listOffsets, listOffsets]);
    for (const request of held) request.reply(anyAnswer());
    await Promise.all(late);
  });

  it('is not renewed within a second, which brokers refuse', async () => {
    const advance = movableLoginClock();
    const sasl = scriptedSasl({ mechanism: 'PLAIN', lifetimeMs: 1100 });
    const broker = await scriptedBroker({ script: (request) => sasl.script(request) || answerAll(request) });
    const wire = await dialing({ tls: false, sasl: plain }).dial(broker.address);
    advance(950);
    await wire.send(anyRequest, longMs);
    expect(sasl.messages).toHaveLength(1);
    advance(60);
    await wire.send(anyRequest, longMs);
    expect(sasl.messages).toHaveLength(2);
  });

  it('is not renewed while most of it is left, even if that is short', async () => {
    const advance = movableLoginClock();
    const sasl = scriptedSasl({ mechanism: 'PLAIN', lifetimeMs: 5000 });
    const broker = await scriptedBroker({ script: (request) => sasl.script(request) || answerAll(request) });
    const wire = await dialing({ tls: false, sasl: plain }).dial(broker.address);
    for (let second = 0; second < 3; second += 1) {
      advance(1000);
      await wire.send(anyRequest, longMs);
    }
    expect(sasl.messages).toHaveLength(1);
    advance(1100);
    await wire.send(anyRequest, longMs);
    expect(sasl.messages).toHaveLength(2);
  });

  it.each([
    ['refused', 'the password was changed', /refuses the login/],
    ['not answered', 'silent', /does not renew the login within 200 ms/],
  ])('and whose renewal is %s loses the wire', async (_, verdict, message) => {
    const advance = movableLoginClock();
    const sasl = scriptedSasl({
      mechanism: 'PLAIN',
      lifetimeMs: 5000,
      verdict: (login) => (login === 0 ? 'ok' : verdict),
    });
    const broker = await scriptedBroker({ script: (request) => sasl.script(request) || answerAll(request) });
    const wire = await dialing({ tls: false, sasl: plain }, 200).dial(broker.address);
    advance(4100);
    const sent = [wire.send(anyRequest, longMs), wire.send(anyRequest, longMs)];
    for (const one of sent) await expect(one).rejects.toThrow(unavailable(message));
    expect(wire.closed).toBe(true);
    await vi.waitFor(() => expect(broker.sockets.size).toBe(0));
  });
});
