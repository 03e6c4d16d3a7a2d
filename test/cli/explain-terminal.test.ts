import { execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigFolder } from '../support/config-folder.ts';
import { rightObject } from '../support/mistakes.ts';
import { ToolMissing } from '../support/tools/tool-missing.ts';
import { useTool } from '../support/tools/use-tool.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const bold = '\u001b[1m';

describe('explain on a terminal', () => {
  const script = useTool(async () => {
    try {
      execFileSync('script', ['--version']);
    } catch {
      throw new ToolMissing('script, which gives a terminal, is not installed (util-linux)');
    }
    return 'script';
  });
  let folder: ConfigFolder;
  beforeEach(async () => {
    folder = await ConfigFolder.make();
    await folder.write('object.yaml', rightObject);
  });
  afterEach(() => folder.remove());

  /** Runs it on a terminal of this width. `typed` is typed once it has printed something. */
  async function onTerminal(columns: number, args: string, env: NodeJS.ProcessEnv = {}, typed = '') {
    const command = `stty cols ${columns}; exec ${process.execPath} ${main} explain -f object.yaml ${args}`;
    const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...own } = process.env;
    const child = spawn(script(), ['-qec', command, '/dev/null'], {
      cwd: folder.path,
      env: { ...own, TERM: 'xterm-256color', ...env },
    });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (stdout === '') child.stdin.write(typed);
      stdout += chunk.toString();
    });
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, lines: stdout.split(/\r?\n/) };
  }

  it.each([40, 80])('has colours, and lines of at most %i columns', async (columns) => {
    const { code, lines } = await onTerminal(columns, '--backlog 830');
    expect(code).toBe(0);
    expect(lines[0]).toContain(`${bold}ScaledObject`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that colour.
    const plain = lines.map((line) => line.replace(/\u001b\[\d+m/g, ''));
    expect(Math.max(...plain.map((line) => line.length))).toBeLessThanOrEqual(columns);
    expect(plain.join('')).not.toContain('\u001b');
  });

  it.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('has none with %j', async (env) => {
    const { code, lines } = await onTerminal(80, '--backlog 830', env);
    expect(code).toBe(0);
    expect(lines.join('\n')).not.toContain('\u001b');
    expect(lines[0]).toContain('ScaledObject shop/order-workers');
  });

  it('watches until Ctrl-C, and ends with 0', async () => {
    const { code, lines } = await onTerminal(80, '--watch --address 127.0.0.1:1', {}, '\u0003');
    expect(code).toBe(0);
    expect(lines.join('\n')).toContain('No scaler answers at 127.0.0.1:1');
  });
});
