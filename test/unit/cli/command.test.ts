import { describe, expect, it } from 'vitest';
import { missingOption, parseArguments } from '../../../src/cli/command.ts';

const options = {
  config: { type: 'string', value: 'FILE', doc: 'The configuration.', required: true },
  quick: { type: 'boolean', doc: 'Fast.' },
} as const;

describe('parseArguments', () => {
  it.each([
    [['--config', 'a.yaml'], { config: 'a.yaml' }],
    [['--config=a=b', '--quick'], { config: 'a=b', quick: true }],
    [['--config=-x'], { config: '-x' }],
    [['--help'], { help: true }],
    [['-h'], { help: true }],
    [[], {}],
  ])('%j', (args, values) => {
    expect(parseArguments(args, options)).toEqual({ values });
  });

  it.each([
    [['--confg', 'x'], 'unknown option --confg (did you mean "--config"?)'],
    [['--constructor'], /^unknown option --constructor/],
    [['-c', 'x'], /^unknown option -c/],
    [['--\u001b[31mx'], 'unknown option --\\u001b[31mx'],
    [['--config'], '--config needs a value: --config FILE'],
    [['--config', '--quick'], '--config needs a value: --config FILE'],
    [['--config='], '--config needs a value: --config FILE'],
    [['--quick=yes'], '--quick takes no value'],
    [['extra'], 'unexpected argument "extra"'],
    [['--', 'extra'], 'unexpected argument "extra"'],
  ])('%j is refused', (args, fault) => {
    const parsed = parseArguments(args, options);
    expect('fault' in parsed && parsed.fault).toMatch(fault);
  });

  it.each([
    [['-f', 'a', 'b', '--file=c', '-f', '-'], { file: ['a', 'b', 'c', '-'] }],
    [['-'], { file: ['-'] }],
  ])('%j is a list', (args, values) => {
    const file = {
      type: 'string',
      short: 'f',
      value: 'FILE',
      doc: '',
      multiple: true,
      positional: true,
    } as const;
    expect(parseArguments(args, { file })).toEqual({ values });
  });

  it('names the first required option that is missing', () => {
    expect(missingOption(options, {})).toBe('--config FILE is needed');
    expect(missingOption(options, { config: 'x' })).toBeUndefined();
  });
});
