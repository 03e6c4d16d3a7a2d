import { CloudEvent, HTTP } from 'cloudevents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binary, eventIn, example, structured } from '../../../support/cloudevents.ts';

const word = fc.stringMatching(/^[a-zA-Z0-9._~/:#-]{1,40}$/).filter((text) => !text.includes('%'));
const text = (unit: 'grapheme' | 'grapheme-ascii') =>
  fc.string({ unit, minLength: 1, maxLength: 40 }).map((said) => `x${said.replaceAll('%', '')}x`);
const time = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });

/** Events as the SDK makes them, with subjects of these characters. */
const events = (unit: 'grapheme' | 'grapheme-ascii') =>
  fc.record(
    {
      id: word,
      source: fc.constantFrom('/a/b', 'urn:x:y', 'https://acme.example/ci?a=b#c', 'name'),
      type: word,
      time: time.map((date) => date.toISOString()),
      subject: text(unit),
      datacontenttype: fc.constant('application/json'),
      ext: fc.oneof(word, fc.integer(), fc.boolean()),
      data: fc.dictionary(word, fc.oneof(fc.string(), fc.integer(), fc.boolean())),
    },
    { requiredKeys: ['id', 'source', 'type', 'time', 'datacontenttype', 'data'] },
  );

describe('requests of the SDK', () => {
  it.each([
    ['structured', 'grapheme'],
    ['binary', 'grapheme-ascii'],
  ] as const)('in %s mode are read as they were', (mode, unit) => {
    fc.assert(
      fc.property(events(unit), (given) => {
        const { headers, body } = HTTP[mode](new CloudEvent(given));
        const sent = Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name, String(value)]),
        );
        const { time: at, datacontenttype: _, ext, subject, ...same } = given;
        const extension = mode === 'binary' ? String(ext) : ext;
        expect(eventIn({ headers: sent, body: String(body) })).toEqual({
          ...same,
          subject,
          timeMs: Date.parse(at),
          extensions: ext === undefined ? {} : { ext: extension },
        });
      }),
    );
  });

  it('of bytes that are JSON, too', () => {
    const event = new CloudEvent({
      ...example,
      datacontenttype: 'application/json',
      data: Buffer.from('{"a":1}'),
    });
    const { headers, body } = HTTP.structured(event);
    const sent = { 'content-type': String(headers['content-type']) };
    expect(eventIn({ headers: sent, body: String(body) }).data).toEqual({ a: 1 });
  });
});

/** Why the SDK does not read requests. If one of these fails, the SDK has become better. */
describe('the SDK itself', () => {
  const read = (request: { headers: object; body: string | Buffer }) =>
    HTTP.toEvent({ headers: { ...request.headers }, body: String(request.body) });

  it.each(['application/cloudevents+json; charset=UTF-8', 'Application/CloudEvents+JSON'])(
    'refuses %s',
    (type) => {
      expect(() => read(structured({}, type))).toThrow();
      expect(eventIn(structured({}, type)).id).toBe(example.id);
    },
  );

  it('leaves headers encoded, and JSON with a charset a string', () => {
    const request = binary({
      'ce-subject': 'Euro%20%E2%82%AC',
      'content-type': 'application/json;charset=UTF-8',
    });
    expect(read(request)).toMatchObject({ subject: 'Euro%20%E2%82%AC', data: '{"a":1}' });
    expect(eventIn(request)).toMatchObject({ subject: 'Euro €', data: { a: 1 } });
  });

  it('makes up an id, and takes 0.3 and no source', () => {
    const { source: _, id: __, ...rest } = example;
    const body = JSON.stringify({ ...rest, specversion: '0.3' });
    const made = read({ headers: { 'content-type': 'application/cloudevents+json' }, body });
    expect(made).toMatchObject({ id: expect.any(String), specversion: '0.3', source: undefined });
  });
});
