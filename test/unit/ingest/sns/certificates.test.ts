import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../src/errors.ts';
import { Certificates } from '../../../../src/ingest/sns/certificates.ts';
import { FakeSns, makeSigner, type Signer } from '../../../support/sns.ts';

const dayMs = 24 * 60 * 60_000;
let signer: Signer;
let sns: FakeSns;
let nowMs: number;
let certificates: Certificates;

beforeAll(() => {
  signer = makeSigner();
});

beforeEach(() => {
  nowMs = Date.now();
  sns = new FakeSns(signer);
  certificates = new Certificates({
    get: sns.get,
    signal: new AbortController().signal,
    now: () => nowMs,
    rest: 1,
  });
});

const url = (i: number) => signer.url.replace(/[0-9a-f]{32}/, i.toString(16).padStart(32, 'f'));

async function codeOf(at: string, address = '192.0.2.1'): Promise<string> {
  const reason: unknown = await certificates.key(at, address).catch((error: unknown) => error);
  return reason instanceof ScalerError ? reason.code : 'none';
}

describe('a certificate', () => {
  it('is fetched once, also for several at once', async () => {
    const [first, second] = await Promise.all([
      certificates.key(signer.url, 'jobs'),
      certificates.key(signer.url, 'other'),
    ]);
    const third = await certificates.key(signer.url, 'jobs');
    expect([first.equals(second), first.equals(third), sns.calls]).toEqual([true, true, [signer.url]]);
    expect(sns.limits[0]).toMatchObject({ timeoutMs: 2_000, maxBytes: 16 * 1024 });
  });

  it('is good between its dates, and fetched again after them', async () => {
    expect(await codeOf(signer.url)).toBe('none');
    nowMs += 31 * dayMs;
    expect(await codeOf(signer.url)).toBe('invalid');
    nowMs -= 62 * dayMs;
    expect(await codeOf(signer.url)).toBe('invalid');
    nowMs += 31 * dayMs;
    expect(await codeOf(signer.url)).toBe('none');
    expect(sns.calls).toHaveLength(3);
  });

  it('that has expired is refused, whatever it says', async () => {
    const expired = makeSigner({ expired: true });
    sns.answers.set(expired.url, expired.certificate);
    expect(await codeOf(expired.url)).toBe('invalid');
  });

  it.each(['', 'hello', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])(
    'is not %j',
    async (text) => {
      sns.answers.set(signer.url, text);
      expect(await codeOf(signer.url)).toBe('invalid');
    },
  );

  it('that could not be fetched is requested again', async () => {
    sns.answers.set(signer.url, new ScalerError('unavailable', 'no whole answer'));
    expect(await codeOf(signer.url)).toBe('unavailable');
    sns.answers.set(signer.url, signer.certificate);
    expect(await codeOf(signer.url)).toBe('none');
  });
});

describe('forgers', () => {
  it('cause no further request for a certificate that was missing a moment ago', async () => {
    for (let i = 0; i < 10; i += 1) expect(await codeOf(url(1))).toBe('not_found');
    expect(sns.calls).toEqual([url(1)]);
    nowMs += 60_000;
    expect(await codeOf(url(1))).toBe('not_found');
    expect(sns.calls).toHaveLength(2);
  });

  it('cause at most five requests at a time, and nobody else waits for theirs', async () => {
    let release = (): void => {};
    sns.hang = new Promise((resolve) => {
      release = resolve;
    });
    const forged = Array.from({ length: 200 }, (_, i) => codeOf(url(i), '192.0.2.1'));
    expect(sns.calls).toHaveLength(5);
    const honest = codeOf(signer.url, '198.51.100.1');
    release();
    expect(await honest).toBe('none');
    expect(sns.calls.indexOf(signer.url)).toBeLessThan(10);
    expect(new Set(await Promise.all(forged))).toEqual(new Set(['not_found']));
  });

  it('leave no place taken in the end', async () => {
    const abort = new AbortController();
    const over = new Certificates({ get: sns.get, signal: abort.signal, now: () => nowMs, rest: 1 });
    sns.hang = new Promise(() => {});
    const waiting = Array.from({ length: 8 }, (_, i) => over.key(url(i), 'a').catch(({ code }) => code));
    abort.abort(new ScalerError('unavailable', 'closing'));
    expect(await Promise.all(waiting.slice(5))).toEqual(Array(3).fill('unavailable'));
    await expect(over.key(url(9), 'a')).rejects.toThrow('closing');
  });

  it('keeps no known certificate from being used', async () => {
    await certificates.key(signer.url, 'jobs');
    for (let i = 0; i < 20; i += 1) await codeOf(url(i));
    expect(await codeOf(signer.url)).toBe('none');
  });

  it('is not more memory: those used last are kept', async () => {
    for (let i = 0; i < 40; i += 1) {
      sns.answers.set(url(i), signer.certificate);
      await certificates.key(url(i), `connection-${i}`);
      await certificates.key(url(0), 'jobs');
    }
    expect(sns.calls).toHaveLength(40);
    await certificates.key(url(1), 'jobs');
    expect(sns.calls.slice(40)).toEqual([url(1)]);
  });
});
