import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached, versionOf } from '../tools/cached.ts';
import { run } from '../tools/run.ts';
import { ToolMissing } from '../tools/tool-missing.ts';
import type { SqsProgram } from './program.ts';

const requirements = fileURLToPath(new URL('./moto/requirements.txt', import.meta.url));
const usable = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))';

/** moto's SQS. In the answers of GetQueueAttributes, and in errors, nothing is closer to AWS. */
export async function findMoto(): Promise<SqsProgram> {
  const python = await findPython();
  const version = versionOf([requirements]);
  const venv = await cached({ name: 'moto', version }, async (unfinished) => {
    const doing = 'fetching moto (30 MB) with pip';
    await run(python, ['-m', 'venv', unfinished], { doing });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:'];
    const pinned = ['--require-hashes', '-r', requirements];
    await run(join(unfinished, 'bin', 'python'), [...pip, ...pinned], { doing });
  });
  return {
    name: 'moto',
    command: join(venv, 'bin', 'python'),
    args: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'],
    listening: /Running on http:\/\/127\.0\.0\.1:(\d+)/,
    account: '123456789012',
  };
}

async function findPython(): Promise<string> {
  for (const python of ['python3', 'python']) {
    const found = await run(python, ['-c', usable], { doing: 'looking for Python' }).catch(() => undefined);
    if (found !== undefined) return python;
  }
  throw new ToolMissing(
    'moto needs Python 3.10 or later with its venv; it was not found (on Debian or Ubuntu: apt-get install python3-venv).',
  );
}
