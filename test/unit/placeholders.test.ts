import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { exampleIn, marksIn } from '../../src/placeholders.ts';

it.each([
  ['registry.example.com', 'example.com'],
  ['https://scaler.example.com/ingest/github', 'example.com'],
  ['a.example.org,b.example.net.', 'example.org'],
  ['https://sqs.eu-central-1.amazonaws.com/123456789012/orders', '123456789012'],
  ['Iv23liExample01Abcd', 'Iv23liExample01Abcd'],
  ['my-example.com', undefined],
  ['example.community', undefined],
  ['example.com.orders', undefined],
  ['com.example.render.requested', undefined],
  ['orders.example', undefined],
  ['https://sqs.eu-central-1.amazonaws.com/210987654321/1234567890123', undefined],
  ['acme', undefined],
])('knows what is of an example: %s', (text, found) => {
  expect(exampleIn(text)).toBe(found && `has ${found} of the examples: write your own`);
});

it('finds the marks of an example, but not those that say if', () => {
  const text = [
    'a: 1 # CHANGE',
    'b: 2 # 1. CHANGE: seconds',
    '  # c: 3 # CHANGE: it makes the certificate',
    'd: 4 # CHANGE, if it is another',
    'e: 5 # CHANGELOG',
    'f: CHANGE',
    'g: "#CHANGE"',
  ];
  expect(marksIn(text.join('\r\n')).map(({ line }) => line)).toEqual([1, 2, 3]);
});

it('finds something in the values of every example', () => {
  const folder = new URL('../../deploy/examples/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const values = files.filter((name) => name.endsWith('/values.yaml'));
  expect(values.length).toBeGreaterThan(5);
  for (const name of values) {
    const uncommented = readFileSync(new URL(name, folder), 'utf8').replaceAll(/#.*/g, '');
    expect(exampleIn(uncommented), name).toBeDefined();
  }
});
