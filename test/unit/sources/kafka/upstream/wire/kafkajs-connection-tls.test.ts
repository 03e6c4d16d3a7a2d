import dns from 'node:dns';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Certificates } from '../../../../../support/certificates.ts';
import { encryptedKey, makeCertificates } from '../../../../../support/certificates.ts';
import { scriptedBroker } from '../../../../../support/kafka/scripted-broker.ts';
import { anyAnswer, anyRequest, dialing, longMs } from './dialing.ts';

const unavailable = (message: RegExp) =>
  expect.objectContaining({
    name: 'ScalerError',
    code: 'unavailable',
    message: expect.stringMatching(message),
  });

describe('TLS to a broker', () => {
  let dir = '';
  let good: Certificates;
  let expired: Certificates;
  const pem = (path: string) => readFileSync(path, 'utf8');
  const serverOf = ({ server }: Certificates) => ({ cert: pem(server.cert), key: pem(server.key) });
  const answering = (options: object) =>
    scriptedBroker({
      tls: options,
      script: ({ apiKey, reply }) => {
        if (apiKey !== anyRequest.apiKey) return false;
        reply(anyAnswer());
        return true;
      },
    });

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'kafka-tls-'));
    const [goodDir, expiredDir] = [join(dir, 'good'), join(dir, 'expired')];
    mkdirSync(goodDir);
    mkdirSync(expiredDir);
    good = makeCertificates(goodDir);
    expired = makeCertificates(expiredDir, { expired: true });
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it('is checked against `tls.caFile`', async () => {
    const broker = await answering(serverOf(good));
    const wire = await dialing({ tls: { ca: pem(good.ca) } }).dial(broker.address);
    await wire.send(anyRequest, longMs);
    await dialing({ tls: { insecureSkipVerify: true } }).dial(broker.address);
  });

  it('shows our certificate to a broker that wants one', async () => {
    const tls = { ca: pem(good.ca), cert: pem(good.client.cert), key: pem(good.client.key) };
    const broker = await answering({ ...serverOf(good), ca: pem(good.ca), requestCert: true });
    await (await dialing({ tls }).dial(broker.address)).send(anyRequest, longMs);
    const without = dialing({ tls: { ca: pem(good.ca) } }).dial(broker.address);
    await expect(without).rejects.toThrow(unavailable(/wants a client certificate|closed the connection/));
  });

  it('shows our certificate even if its key is encrypted', async () => {
    const key = encryptedKey(good.client, 'open sesame');
    const tls = { ca: pem(good.ca), cert: pem(good.client.cert), key, keyPassword: 'open sesame' };
    const broker = await answering({ ...serverOf(good), ca: pem(good.ca), requestCert: true });
    await (await dialing({ tls }).dial(broker.address)).send(anyRequest, longMs);
  });

  it.each([[{}], [{ insecureSkipVerify: true }]])(
    'names a broker without the dot that its name ends with: %o',
    async (more) => {
      const { lookup } = dns;
      // Not every resolver accepts it.
      const spy = vi.spyOn(dns, 'lookup');
      const undotted = (host: string, ...rest: unknown[]) =>
        Reflect.apply(lookup, dns, [host.replace(/\.$/, ''), ...rest]);
      spy.mockImplementation(Object.assign(undotted, { __promisify__: lookup.__promisify__ }));
      onTestFinished(() => spy.mockRestore());
      const named: string[] = [];
      const SNICallback = (name: string, done: (error: null) => void) => {
        named.push(name);
        done(null);
      };
      const broker = await answering({ ...serverOf(good), SNICallback });
      const wire = await dialing({ tls: { ca: pem(good.ca), ...more } }).dial(`localhost.:${broker.port}`);
      await wire.send(anyRequest, longMs);
      expect(named).toEqual(['localhost']);
    },
  );

  it.each<[string, () => [Certificates, string], RegExp]>([
    ['an unknown authority', () => [good, pem(expired.ca)], /an unknown authority: `tls.caFile` must hold/],
    ['an expired certificate', () => [expired, pem(expired.ca)], /certificate that has expired/],
  ])('refuses %s', async (_, given, message) => {
    const [certificates, ca] = given();
    const broker = await answering(serverOf(certificates));
    await expect(dialing({ tls: { ca } }).dial(broker.address)).rejects.toThrow(unavailable(message));
  });

  it('refuses a certificate of another name', async () => {
    const broker = await answering(serverOf(good));
    // Another spelling of 127.0.0.1, which the certificate does not have.
    const dial = dialing({ tls: { ca: pem(good.ca) } }).dial(`127.1:${broker.port}`);
    await expect(dial).rejects.toThrow(unavailable(/certificate for another host name/));
  });

  it('refuses a certificate that is not for servers', async () => {
    const broker = await answering({ cert: pem(good.client.cert), key: pem(good.client.key) });
    const dial = dialing({ tls: { ca: pem(good.ca) } }).dial(broker.address);
    await expect(dial).rejects.toThrow(unavailable(/not made for servers/));
  });

  it('says that the listener speaks no TLS', async () => {
    const broker = await scriptedBroker({ greeting: Buffer.from('this is no TLS at all') });
    const dial = dialing({ tls: {} }).dial(broker.address);
    await expect(dial).rejects.toThrow(unavailable(/does not speak TLS on this listener/));
  });

  it('says that our key cannot be read', async () => {
    const broker = await answering(serverOf(good));
    const dial = dialing({ tls: { cert: pem(good.client.cert), key: 'no PEM' } }).dial(broker.address);
    await expect(dial).rejects.toThrow(unavailable(/`tls` holds a PEM that cannot be read/));
  });
});
