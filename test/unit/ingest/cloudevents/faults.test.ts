import { describe, expect, it } from 'vitest';
import { batch, binary, example, faultOf, parsed, structured } from '../../../support/cloudevents.ts';

const without = (name: string) => ({ [name]: undefined });
const long = 'x'.repeat(2049);

describe('an invalid event', () => {
  it.each(['id', 'source', 'type', 'specversion'])('without %s', (name) => {
    expect(faultOf(structured(without(name)))).toBe(`${name} is missing`);
    expect(faultOf(structured({ [name]: null }))).toBe(`${name} is missing`);
    expect(faultOf(binary(without(`ce-${name}`)))).toBe(`ce-${name} is missing`);
  });

  it.each<[string, object, string]>([
    ['of an older version', { specversion: '0.3' }, 'specversion must be "1.0"'],
    ['of a newer version', { specversion: '2.0' }, 'specversion must be "1.0"'],
    ['with a version that is a number', { specversion: 1 }, 'specversion must be "1.0"'],
    ['with an empty id', { id: '' }, 'id is empty'],
    ['with an id that is a number', { id: 7 }, 'id must be a string'],
    ['with a long type', { type: long }, 'type is longer than 2048 characters'],
    ['with a long extension', { ext: long }, 'an extension is longer than 2048 characters'],
    ['with a line break', { type: 'a\nb' }, 'type holds control characters or broken Unicode'],
    ['with half a character', { subject: '\ud83d' }, 'subject holds control characters or broken Unicode'],
    ['with an empty subject', { subject: '' }, 'subject must NOT have fewer than 1 characters'],
    ['with a source that is no URI', { source: 'a b' }, 'source must match format "uri-reference"'],
    ['with a date for a time', { time: '2018-04-05' }, 'time must match format "date-time"'],
    ['with a time that is a number', { time: 5 }, 'time must be a string'],
    [
      'with an object for an extension',
      { ext: {} },
      'an extension is neither a string nor an integer nor a boolean',
    ],
    [
      'with a fraction for an extension',
      { ext: 1.5 },
      'an extension is neither a string nor an integer nor a boolean',
    ],
    ['with a name in capitals', { Ext: '1' }, 'an attribute has a name that is not a-z and 0-9'],
    ['with a long name', { ['e'.repeat(65)]: '1' }, 'an attribute has a name longer than 64 characters'],
    ['with data twice', { data: 1, data_base64: '' }, 'data_base64 is there beside data'],
    ['with data that is no Base64', { data_base64: '?' }, 'data_base64 is not Base64'],
    [
      'with JSON that is none, in Base64',
      { datacontenttype: 'application/json', data_base64: 'AAEC' },
      'data_base64 is not JSON',
    ],
  ])('%s', (_, more, fault) => {
    expect(faultOf(structured({ ...more }))).toBe(fault);
  });

  it('with more extensions than anybody needs', () => {
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`e${index}`, 'x']));
    expect(faultOf(structured(many))).toBe('extensions are more than 64');
    const { e64: _, ...enough } = many;
    expect(faultOf(structured(enough))).toBe(undefined);
  });

  it('with data in a header, while a content type there is left alone', () => {
    const fault = 'an attribute is called data';
    expect(faultOf(binary({ 'ce-data': 'x' }))).toBe(fault);
    expect(faultOf(binary({ 'ce-datacontenttype': 'text/plain' }))).toBe(undefined);
  });

  it('with a prototype for an attribute', () => {
    const body = JSON.stringify(example).replace('{', '{"__proto__":{"polluted":true},');
    expect(faultOf({ ...structured(), body })).toBe('an attribute has a name that is not a-z and 0-9');
    expect({}).not.toHaveProperty('polluted');
  });

  it('with a leap second has no time, and is one', () => {
    expect(parsed(structured({ time: '2016-12-31T23:59:60Z' }))).toMatchObject({
      events: [{ timeMs: undefined }],
    });
  });

  it.each(['[]', '1', 'null', '"x"'])('but %s', (body) => {
    expect(faultOf({ ...structured(), body })).toBe('the event is no JSON object');
  });

  it('is described by its headers’ names, never by their values', () => {
    const fault = faultOf(binary({ 'ce-id': undefined, 'ce-source': 's3cret thing', 'ce-x_y': 's3cret' }));
    expect(fault).toBe('ce-id is missing; an attribute has a name that is not a-z and 0-9');
  });
});

describe('a batch', () => {
  it('is accepted as a whole or not at all, and each wrong event is named', () => {
    const result = parsed(batch([example, { ...example, source: undefined }, 7, { ...example, id: '' }]));
    expect(result).toEqual({
      kind: 'faulty',
      why: '[1] source is missing; [2] the event is no JSON object; [3] id is empty',
    });
  });

  it('names the first ten, and how many more', () => {
    const why = faultOf(batch(Array.from({ length: 900 }, () => ({}))));
    expect(why?.split('; ')).toHaveLength(11);
    expect(why).toMatch(/^\[0\] specversion is missing; .*; and 3590 more$/);
  });

  it('of 1,000 is accepted, of more not', () => {
    expect(parsed(batch(Array.from({ length: 1000 }, () => example)))).toMatchObject({ kind: 'events' });
    const result = parsed(batch(Array.from({ length: 10_000 }, () => example)));
    expect(result).toEqual({ kind: 'too_many', count: 10_000 });
  });

  it('is an array', () => {
    expect(faultOf({ ...batch([]), body: JSON.stringify(example) })).toBe('the body is no JSON array');
  });
});
