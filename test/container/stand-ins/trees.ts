import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../../support/tools/run.ts';

const nonroot = 65532;

/** The root of the image for the Dockerfile's build: Node, npm and a shell. */
export async function nodeTree(
  root: string,
  { node, npm: folder }: { node: string; npm: string },
): Promise<void> {
  await install(root, { '/usr/local/bin/node': node, '/bin/sh': '/bin/sh', '/usr/bin/env': '/usr/bin/env' });
  const npm = 'usr/local/lib/node_modules/npm';
  cpSync(folder, join(root, npm), { recursive: true });
  chmodSync(join(root, npm, 'bin/npm-cli.js'), 0o755);
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  write(root, 'etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n');
}

/** The root of the final base image: Node, a user and certificates, but no shell. */
export async function distrolessTree(root: string, node: string): Promise<void> {
  await install(root, { '/nodejs/bin/node': node });
  write(root, 'etc/passwd', `root:x:0:0:::\nnonroot:x:${nonroot}:${nonroot}::/home/nonroot:/sbin/nologin\n`);
  write(root, 'etc/group', `root:x:0:\nnonroot:x:${nonroot}:\n`);
  write(root, 'etc/ssl/certs/ca-certificates.crt', '');
  mkdirSync(join(root, 'home/nonroot'), { recursive: true });
  chownSync(join(root, 'home/nonroot'), nonroot, nonroot);
}

/** Programs of this machine, each with its linked libraries. */
async function install(root: string, programs: Readonly<Record<string, string>>): Promise<void> {
  mkdirSync(join(root, 'tmp'), { recursive: true });
  chmodSync(join(root, 'tmp'), 0o1777);
  for (const [path, program] of Object.entries(programs)) {
    copy(program, join(root, path));
    const linked = await run('ldd', [program], { doing: `looking for the libraries of ${program}` });
    for (const [, library = ''] of linked.matchAll(/(\/\S+) \(0x/g)) copy(library, join(root, library));
    // Native modules of the build link this part of glibc, which Node does not.
    const [, glibc = '/lib'] = /(\/\S+)\/libc\.so\S* \(0x/.exec(linked) ?? [];
    const part = join(glibc, 'librt.so.1');
    if (existsSync(part)) copy(part, join(root, part));
  }
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
