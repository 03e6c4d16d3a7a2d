import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runHere } from '../support/run-here.ts';

const run = (...args: string[]) => runHere(args);

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

describe('backlog-scaler', () => {
  it.each([[['--version']], [['serve', '--version']]])('%j', async (args) => {
    expect(await run(...args)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('ends as a process with the code of its command, and what that printed', async () => {
    for (const args of [['--help'], ['serv']]) {
      const { status, stdout, stderr } = spawnSync(process.execPath, ['src/main.ts', ...args], {
        encoding: 'utf8',
      });
      expect({ code: status, stdout, stderr }).toEqual(await run(...args));
    }
  });

  it('lists its commands', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    for (const name of ['serve', 'explain', 'validate', 'convert', 'simulate']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} {2,}\\S`, 'm'));
    }
  });

  it('takes -h for --help', async () => {
    expect(await run('-h')).toEqual(await run('--help'));
    expect(await run('serve', '-h')).toEqual(await run('serve', '--help'));
  });

  it('says what serve accepts', async () => {
    const { code, stdout } = await run('serve', '--help');
    expect([code, stdout]).toEqual([0, expect.stringContaining('Usage: backlog-scaler serve --config FILE')]);
  });

  it.each([
    [[], 'Usage: backlog-scaler COMMAND'],
    [['serv'], 'unknown command "serv" (did you mean "serve"?); see backlog-scaler --help'],
    [['--verzion'], 'unknown option --verzion (did you mean "--version"?); see backlog-scaler --help'],
    [['serve'], '--config FILE is needed; see backlog-scaler serve --help'],
    [
      ['serve', '--confg', 'x'],
      'unknown option --confg (did you mean "--config"?); see backlog-scaler serve --help',
    ],
    [['serve', 'config.yaml'], 'unexpected argument "config.yaml"; see backlog-scaler serve --help'],
  ])('%j is invalid', async (args, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it.skipIf(process.platform !== 'linux')('fails, and says so, if its output has no room', () => {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, ['src/main.ts', '--help'], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(full);
    expect([status, stderr]).toEqual([1, 'The output cannot be written: ENOSPC\n']);
  });
});
