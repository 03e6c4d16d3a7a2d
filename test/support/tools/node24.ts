import { join } from 'node:path';
import { npmPackage } from './npm-package.ts';
import { run } from './run.ts';

/** The image's major version. From 24.6 on, Node sizes its heap by a share of the memory limit. */
const version = '24.21.0';

/** The path of Node 24, which npm has as a package for each platform. */
export async function node24(): Promise<string> {
  const node = join(await npmPackage(`node-${process.platform}-${process.arch}`, version), 'bin', 'node');
  await run(node, ['--version'], { doing: `starting Node ${version}` });
  return node;
}
