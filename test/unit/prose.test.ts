import { describe, expect, it } from 'vitest';
import { findingsIn } from '../../scripts/prose.ts';

async function rulesBroken(text: string): Promise<string[]> {
  return (await findingsIn(text)).map(({ line, rule }) => `${line} ${rule}`);
}

const long = `The scaler ${'reads the group and '.repeat(8)}ends.`;

describe('the style of pages', () => {
  it.each([
    ['a long sentence', `Short.\n\n${long}`, '3 sentence'],
    ['a long sentence in a table', `| a |\n| --- |\n| ${long} |`, '3 sentence'],
    ['two ideas behind two joints', 'It reads: the group is known; the lag follows.', '1 sentence'],
    ['an odd phrase', 'KEDA is told the number.', '1 phrase'],
    ['an odd phrase across lines', 'KEDA is\ntold the number.', '1 phrase'],
    ['a name as nobody writes it', 'Send it to Github.', '1 term'],
    ['a name of the field', 'A scaled object names a connection.', '1 term'],
  ])('%s is found', async (_, text, finding) => {
    expect(await rulesBroken(text)).toEqual([finding]);
  });

  it('leaves plain sentences, code and quoted code alone', async () => {
    const text = [
      '# `github`, a source',
      'A ScaledObject names a connection of `kafka`: it never names an address.',
      `Set \`${'a '.repeat(40)}\`, then look.`,
      '```sh\necho "KEDA is told: one; two; Github"\n```',
    ].join('\n\n');
    expect(await rulesBroken(text)).toEqual([]);
  });
});
