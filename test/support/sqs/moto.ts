import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ScalerError } from '../../../src/errors.ts';
import { installed, output, outputIfAny } from './installation.ts';
import type { SqsProgram } from './program.ts';

const requirements = fileURLToPath(new URL('./moto/requirements.txt', import.meta.url));
const usable = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))';

/** moto's SQS: the nearest to AWS there is in what GetQueueAttributes says, and in its errors. */
export async function findMoto(): Promise<SqsProgram> {
  const python = await findPython();
  const directory = await installed('moto', requirements, async (into) => {
    console.error('Fetching moto with pip, once (30 MB) …');
    const venv = join(into, 'venv');
    await output(python, ['-m', 'venv', '--clear', venv]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:'];
    await output(join(venv, 'bin', 'python'), [...pip, '--require-hashes', '-r', requirements]);
  });
  return {
    name: 'moto',
    command: join(directory, 'venv', 'bin', 'python'),
    args: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'],
    listening: /Running on http:\/\/127\.0\.0\.1:(\d+)/,
    account: '123456789012',
  };
}

async function findPython(): Promise<string> {
  for (const python of ['python3', 'python'])
    if ((await outputIfAny(python, ['-c', usable])) !== undefined) return python;
  throw new ScalerError(
    'unavailable',
    'moto needs Python 3.10 or later with its venv; it was not found (on Debian or Ubuntu: apt-get install python3-venv).',
  );
}
