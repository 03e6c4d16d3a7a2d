import { describe, expect, it } from 'vitest';
import { parsePayload, payloadTypeOf } from '../../../src/ingest/webhooks.ts';

const form = 'application/x-www-form-urlencoded';

describe('payloadTypeOf', () => {
  it.each([
    ['application/json', 'application/json'],
    ['application/json; charset=utf-8', 'application/json'],
    ['Application/JSON;charset=UTF-8', 'application/json'],
    [form, form],
    ['application/json-seq', undefined],
    ['text/json', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s is %s', (given, type) => {
    expect(payloadTypeOf(given)).toBe(type);
  });
});

describe('parsePayload', () => {
  it.each([
    ['{"a":1}', { payload: { a: 1 } }],
    ['null', { payload: null }],
    ['{"a":', undefined],
    ['', undefined],
  ])('JSON %j is %j', (body, parsed) => {
    expect(parsePayload(Buffer.from(body), 'application/json')).toEqual(parsed);
  });

  it.each([
    ['payload=%7B%22a%22%3A%22b+c%C3%A9%22%7D', { payload: { a: 'b cé' } }],
    ['x=1&payload=null', { payload: null }],
    ['payload=', undefined],
    ['payload', undefined],
    ['{"a":1}', undefined],
  ])('a form %j is %j', (body, parsed) => {
    expect(parsePayload(Buffer.from(body), form)).toEqual(parsed);
  });

  it('does not let a payload reach a prototype', () => {
    const parsed = parsePayload(Buffer.from('{"__proto__":{"owner":"acme"}}'), 'application/json');
    expect(Object.getPrototypeOf(parsed?.payload)).toBe(Object.prototype);
  });
});
