import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convertInputs } from '../../../src/scaledobjects/convert.ts';
import { readScaledResources } from '../../../src/scaledobjects/read.ts';
import { validateInputs } from '../../../src/scaledobjects/validate.ts';
import { sources } from '../../../src/sources/index.ts';
import { mistakes, written } from '../../support/mistakes.ts';
import { publicShapes } from '../../support/public-shapes.ts';

const texts = [...publicShapes.map(({ yaml }) => yaml), ...mistakes.map(written)];
const scraps = [
  '',
  ' ',
  '\n',
  ': ',
  '- ',
  '{',
  '}',
  '[',
  ']',
  '&a ',
  '*a',
  'null',
  '-1',
  '"',
  "'",
  '|\n',
  '__proto__: x\n',
  '!!set ',
  '? ',
  '<<: *first\n',
  '# x\n',
];

/** A real file with some scraps in wrong places. */
const damaged = fc
  .tuple(
    fc.constantFrom(...texts),
    fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(12), fc.constantFrom(...scraps)), {
      maxLength: 4,
    }),
  )
  .map(([text, edits]) =>
    edits.reduce((now, [where, gone, scrap]) => {
      const at = Math.floor(where * now.length);
      return now.slice(0, at) + scrap + now.slice(at + gone);
    }, text),
  );

const settings = { sources, scalerAddress: 'a:6000', namespace: 'team' };

describe('any text', () => {
  it('is validated and converted without an exception, and a right one stays right', () => {
    fc.assert(
      fc.property(damaged, (text) => {
        const input = { file: 'a.yaml', text };
        const { faults } = validateInputs([input], { sources, namespace: 'team' });
        for (const { line, message } of faults) {
          expect(line).toBeGreaterThan(0);
          expect(message).not.toBe('');
        }
        const { files } = convertInputs([input], settings);
        const made = files[0]?.text ?? '';
        if (readScaledResources(text, 'a').faults.length === 0) {
          expect(readScaledResources(made, 'a').faults).toEqual([]);
          expect(convertInputs([{ file: 'a', text: made }], settings).files[0]?.text).toBe(made);
        }
      }),
      { numRuns: 300 },
    );
  });
});
