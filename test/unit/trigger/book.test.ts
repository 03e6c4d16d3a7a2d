import { beforeEach, describe, expect, it } from 'vitest';
import { TriggerBook } from '../../../src/trigger/book.ts';
import { byName, connectionOf, referenceOf } from '../../support/board.ts';
import { hintSource, QueueService } from '../../support/hint-source.ts';

const options = {
  sources: [hintSource],
  connections: byName([connectionOf('jobs', hintSource, new QueueService())]),
  maxStalenessSeconds: 60,
};
const good = { source: 'hinted', queue: 'jobs' };
const wrong = { ...good, quue: 'x' };

let book: TriggerBook;
let refused: string[];

beforeEach(() => {
  refused = [];
  book = new TriggerBook({ ...options, maxRemembered: 10, refused: ({ message }) => refused.push(message) });
});

const parse = (metadata: Record<string, string>) => book.trigger(referenceOf(metadata));

describe('the book', () => {
  it('resolves equal references once, whatever the order of their keys', () => {
    const one = parse(good);
    const { source, ...rest } = good;
    expect(parse({ ...rest, source })).toBe(one);
    expect(parse({ ...good, queue: 'a' })).not.toBe(one);
  });

  it('tells once why one is refused, and again under a changed configuration', () => {
    expect(() => parse(wrong)).toThrow(/quue/);
    expect(() => parse(wrong)).toThrow(/quue/);
    parse(good);
    expect(refused).toHaveLength(1);
    book.use({});
    expect(() => parse(wrong)).toThrow(/quue/);
    expect(refused).toHaveLength(2);
  });

  it('remembers no more than its bound', () => {
    const one = parse(good);
    for (let i = 0; i < 10; i += 1) parse({ ...good, queue: `t${i}` });
    expect(parse(good)).not.toBe(one);
    expect(parse(good).id).toBe(one.id);
  });

  it('remembers no more than its bound of text', () => {
    const roomy = new TriggerBook({ ...options, maxRemembered: 1_000_000 });
    const first = roomy.trigger(referenceOf(good));
    const again = () => roomy.trigger(referenceOf(good));
    const long = 'x'.repeat(60_000);
    for (let i = 0; i < 500; i += 1) roomy.trigger(referenceOf({ ...good, scalerAddress: `${long}${i}` }));
    expect(again()).toBe(first);
    for (let i = 0; i < 100; i += 1) roomy.trigger(referenceOf({ ...good, unsafeSsl: `${long}${i}` }));
    expect(again()).not.toBe(first);
  });

  it('forgets all when the configuration changes', () => {
    const one = parse(good);
    book.use({ maxStalenessSeconds: 120 });
    expect(parse(good).maxStalenessMs).toBe(120_000);
    expect(one.maxStalenessMs).toBe(60_000);
  });
});
