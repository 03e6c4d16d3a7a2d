import { describe, expect, it } from 'vitest';
import { modeOf } from '../../../../src/ingest/cloudevents/parse.ts';
import {
  batch,
  binary,
  eventIn,
  example,
  faultOf,
  parsed,
  structured,
} from '../../../support/cloudevents.ts';

const plain = {
  id: '1234-1234-1234',
  source: '/mycontext/subcontext',
  type: 'com.example.someevent',
  subject: undefined,
  timeMs: Date.UTC(2018, 3, 5, 3, 56, 24),
  data: { a: 1 },
  extensions: {},
};

describe("the specification's examples", () => {
  it('in binary mode', () => {
    expect(eventIn(binary())).toEqual(plain);
  });

  it.each([
    'application/cloudevents+json',
    'application/cloudevents+json; charset=UTF-8',
    'application/cloudevents+json;charset=utf-8',
    'Application/CloudEvents+JSON ; charset="utf-8"; x=y',
  ])('in structured mode as %s', (contentType) => {
    expect(eventIn(structured({ data: { a: 1 } }, contentType))).toEqual(plain);
  });

  it('in structured mode, whatever the headers say beside it', () => {
    const { headers, body } = structured({ data: { a: 1 } });
    expect(eventIn({ headers: { ...headers, 'ce-id': 'other', 'ce-specversion': '0.3' }, body })).toEqual(
      plain,
    );
  });

  it('in batches, of two and of none', () => {
    const thrift = {
      ...example,
      source: '/mycontext/4',
      comexampleextension1: 'value',
      comexampleothervalue: 5,
      datacontenttype: 'application/vnd.apache.thrift.binary',
      data_base64: 'AAEC/w==',
    };
    const result = parsed(
      batch([thrift, { ...example, source: '/mycontext/9', subject: null, data: { a: 1 } }]),
    );
    expect(result).toEqual({
      kind: 'events',
      events: [
        {
          ...plain,
          source: '/mycontext/4',
          data: undefined,
          extensions: { comexampleextension1: 'value', comexampleothervalue: 5 },
        },
        { ...plain, source: '/mycontext/9' },
      ],
    });
    expect(parsed(batch([]))).toEqual({ kind: 'events', events: [] });
  });

  it('with text, with JSON in Base64, and with a string that stays a string', () => {
    const data = (more: object) => eventIn(structured({ ...more })).data;
    expect(data({ datacontenttype: 'application/xml', data: '<much wow="xml"/>' })).toBe('<much wow="xml"/>');
    expect(data({ data: '{"a":1}' })).toBe('{"a":1}');
    expect(data({ data: null })).toBe(null);
    const base64 = Buffer.from('{"a":1}').toString('base64');
    expect(data({ datacontenttype: 'application/json', data_base64: base64 })).toEqual({ a: 1 });
    expect(data({ datacontenttype: 'text/plain', data_base64: base64 })).toBe('{"a":1}');
    expect(data({ data_base64: base64 })).toBe(undefined);
  });
});

describe('data in binary mode', () => {
  it.each<[string | undefined, string | Buffer, unknown]>([
    ['application/json', '"I\'m just a string"', "I'm just a string"],
    ['application/vnd.acme.order+json; v=2', '{"a":1}', { a: 1 }],
    ['TEXT/JSON', '\ufeff[1]', [1]],
    ['application/json', '', undefined],
    ['text/plain', 'Grüße', 'Grüße'],
    ['text/plain; charset=iso-8859-1', Buffer.from('Grüße', 'latin1'), undefined],
    ['application/atom+xml', '<a/>', '<a/>'],
    ['application/octet-stream', '{"a":1}', undefined],
    [undefined, '{"a":1}', undefined],
  ])('of %s: %j', (contentType, body, data) => {
    const { headers } = binary();
    const { 'content-type': _, ...bare } = headers;
    const given = contentType === undefined ? bare : { ...bare, 'content-type': contentType };
    expect(eventIn({ headers: given, body }).data).toEqual(data);
  });

  it.each([
    ['not JSON', 'the body is not JSON'],
    [Buffer.from('{"a":"\xff"}', 'latin1'), 'the body is not UTF-8'],
  ])('that does not match its content type is a fault', (body, fault) => {
    expect(faultOf(binary({}, body))).toBe(fault);
    expect(faultOf({ ...structured(), body })).toBe(fault);
    expect(faultOf({ ...batch([]), body })).toBe(fault);
  });
});

describe('the content type decides the mode', () => {
  it.each([
    [{ 'content-type': 'application/cloudevents-batch+json;charset=x' }, 'batch'],
    [{ 'content-type': 'APPLICATION/CLOUDEVENTS+JSON' }, 'structured'],
    [{ 'content-type': 'application/cloudevents+json', 'ce-specversion': '1.0' }, 'structured'],
    [{ 'content-type': 'application/cloudevents+avro', 'ce-specversion': '1.0' }, undefined],
    [{ 'content-type': 'application/cloudevents-batch+xml' }, undefined],
    [{ 'content-type': 'text/plain', 'ce-type': 'x' }, 'binary'],
    [{ 'ce-id': 'x' }, 'binary'],
    [{ 'content-type': 'application/json' }, 'json'],
    [{ 'content-type': 'text/plain' }, undefined],
    [{ 'content-type': 'application/jsonp' }, undefined],
    [{ 'ce-extension': 'x' }, undefined],
    [{}, undefined],
  ])('%j: %s', (headers, mode) => {
    expect(modeOf(headers)).toBe(mode);
  });
});
