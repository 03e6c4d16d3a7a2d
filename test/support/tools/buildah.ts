import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cached, versionOf } from './cached.ts';
import { debianPackages } from './debian.ts';
import { run } from './run.ts';

/** Debian's names for folders of libraries. */
const triplets: Readonly<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/**
 * The path of Buildah from Debian's package, which builds images without an engine. The path of its libraries is written
 * into the program, because Buildah starts itself again for every RUN without the environment that could name it.
 */
export async function buildah(): Promise<string> {
  const packages = await debianPackages('buildah-packages', ['buildah', 'patchelf']);
  return await cached({ name: 'buildah', version: versionOf([], packages) }, async (unfinished) => {
    const triplet = triplets[process.arch] ?? process.arch;
    const libraries = ['usr/lib', 'lib'].map((folder) => join(packages, folder, triplet));
    const path = libraries.filter((folder) => existsSync(folder)).join(':');
    const [patchelf, program] = ['patchelf', 'buildah'].map((name) => join(packages, 'usr', 'bin', name));
    const doing = 'making Buildah find its libraries';
    await run(patchelf ?? '', ['--set-rpath', path, '--output', unfinished, program ?? ''], { doing });
    await run(unfinished, ['--version'], { doing });
  });
}
