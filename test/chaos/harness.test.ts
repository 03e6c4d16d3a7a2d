import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** Plays a fault that needs only Node for a few seconds against a command. */
async function chaos(program: string) {
  const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
  const args = ['--only', 'webhooks', '--seconds', '3', '--seed', '1', '--program', path(program)];
  const child = spawn(process.execPath, [path('../../chaos/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const code = new Promise((resolve) => child.once('exit', resolve));
  return { printed: await text(child.stdout), code: await code };
}

describe('npm run chaos', () => {
  it('holds for the scaler', async () => {
    const { printed, code } = await chaos('../../src/main.ts');
    expect(printed).toMatch(/^\| webhooks .*\| yes +\|$/m);
    expect(code).toBe(0);
  });

  it('catches a scaler that always says 0: what was wrong, when, with which seed', async () => {
    const { printed, code } = await chaos('zero-scaler.ts');
    expect(printed).toMatch(
      /^webhooks, at \d+\.\d s, seed 1: zero for a backlog that is not: jobs of pool-\d: /m,
    );
    expect(code).toBe(1);
  });
});
