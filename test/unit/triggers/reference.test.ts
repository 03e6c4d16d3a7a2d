import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import { givenValues } from '../../../src/params/parse.ts';
import { sources } from '../../../src/sources/index.ts';
import { bytesOf, checkReference, kept } from '../../../src/triggers/reference.ts';
import { idOf } from '../../../src/triggers/triggers.ts';
import { referenceOf } from '../../support/live-triggers.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

const kafka = sources.find(({ kind }) => kind === 'kafka');

describe('the id of a reference', () => {
  const one = idOf(referenceOf({ a: '1', b: '2' }));

  it('is the same for any order of keys', () => {
    expect(idOf(referenceOf({ b: '2', a: '1' }))).toBe(one);
    expect(one).toMatch(/^[\w-]{43}$/);
  });

  it.each([
    referenceOf({ a: '1', b: '3' }),
    referenceOf({ a: '1' }),
    referenceOf({ a: '1b2' }),
    referenceOf({ a: '1', b: '2' }, 'other'),
    referenceOf({ a: '1', b: '2' }, 'worker', 'other'),
    referenceOf({ a: '1', b: '2' }, 'workers', 'hop'),
  ])('differs for %j', (other) => {
    expect(idOf(other)).not.toBe(one);
  });
});

const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, '']));

describe('a reference that is too large', () => {
  it.each([
    [referenceOf({}, 'n'.repeat(253), 's'.repeat(63)), undefined],
    [referenceOf({}, 'n'.repeat(254)), 'name: has 254 characters, Kubernetes allows 253'],
    [referenceOf({}, 'w', 's'.repeat(62_000)), 'namespace: has 62000 characters, Kubernetes allows 63'],
    [referenceOf({ caCert: 'x'.repeat(65_530) }), undefined],
    [referenceOf({ caCert: 'é'.repeat(40_000) }), 'metadata: has 80006 bytes; the limit is 65536'],
    [referenceOf(keys(500)), undefined],
    [referenceOf(keys(501)), 'metadata: has 501 keys; the limit is 500'],
  ])('is refused', (reference, fault) => {
    const check = () => checkReference(reference);
    if (fault === undefined) expect(check).not.toThrow();
    else expect(check).toThrow(fault);
  });

  it('is not in the message', () => {
    const name = `evil\u202e\u0085${'n'.repeat(62_000)}`;
    try {
      checkReference(referenceOf({}, name, 's'.repeat(62_000)));
      expect.unreachable();
    } catch (reason) {
      const { code, message } = ScalerError.from(reason);
      expect(code).toBe('invalid');
      expect(message.length).toBeLessThan(600);
      expect(message).toContain('/evil\\u202e\\u0085nnn');
    }
  });
});

describe('the kept part of a reference', () => {
  it('is what its source reads, and only the name of ignored keys', () => {
    const reference = referenceOf({
      source: 'kafka',
      consumerGroup: ' g ',
      topicFromEnv: 'orders',
      bootstrapServers: 'b:9092',
      caCert: 'x'.repeat(60_000),
      password: 'hunter2',
      version: '1.0.0',
      mistyped: 'x'.repeat(1_000),
      username: ' ',
    });
    expect(kept(reference, kafka).metadata).toEqual({
      source: 'kafka',
      consumerGroup: 'g',
      topicFromEnv: 'orders',
      bootstrapServers: 'b:9092',
      caCert: '*',
      password: '*',
      version: '*',
      mistyped: '*',
      username: '',
    });
    expect(bytesOf(kept(reference, kafka))).toBeLessThan(1_000);
  });

  it('has of an overruled value only that it exists', () => {
    const reference = referenceOf({ source: 'kafka', topic: 'orders', topicFromEnv: 'x'.repeat(1_000) });
    expect(kept(reference, kafka).metadata).toMatchObject({ topic: 'orders', topicFromEnv: '*' });
  });

  it('has no whitespace around values, nor anything that keeps it in memory', () => {
    const long = `${' '.repeat(60_000)}a-group-with-a-long-name`;
    const keep = () => {
      // A text of its own, as that of a decoded message.
      const consumerGroup = Buffer.from(long).toString();
      const reference = referenceOf({ source: 'kafka', consumerGroup });
      return { kept: kept(reference, kafka), given: givenValues(reference.metadata) };
    };
    const before = heapBytes();
    const all = Array.from({ length: 200 }, keep);
    expect(heapBytes() - before).toBeLessThan(all.length * 10_000);
    expect(all[0]?.kept.metadata).toMatchObject({ consumerGroup: 'a-group-with-a-long-name' });
    expect(all[0]?.given.get('consumerGroup')?.value).toBe('a-group-with-a-long-name');
  });

  it('is small if its source is unknown', () => {
    const reference = referenceOf({ source: 'kafak', topic: 'x'.repeat(1_000) });
    expect(kept(reference, undefined).metadata).toEqual({ source: 'kafak', topic: '*' });
  });

  it('counts the bytes of many tiny keys', () => {
    const keys = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, '']));
    expect(bytesOf(referenceOf(keys))).toBeGreaterThan(64_000);
  });
});
