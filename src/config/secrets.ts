import type { Faults, Path } from './faults.ts';
import type { ConfigFiles } from './files.ts';
import { isMapping } from './tree.ts';

/** The keys that name a file; its text becomes the value of the key without `File`. */
export const fileKeys = {
  passwordFile: 'password',
  clientSecretFile: 'clientSecret',
  tokenFile: 'token',
  caFile: 'ca',
  certFile: 'cert',
  keyFile: 'key',
} as const;

/** Stands where a file could not be read, so that its key does not count as missing too. */
const unread = 'unread';

/** The same settings with every `…File` read into its base key. The line end that editors leave is cut. */
export async function readSecrets(
  settings: unknown,
  files: ConfigFiles,
  faults: Faults,
  at: Path,
): Promise<unknown> {
  if (Array.isArray(settings)) {
    return Promise.all(settings.map((member, i) => readSecrets(member, files, faults, [...at, i])));
  }
  if (!isMapping(settings)) return settings;
  const entries: [string, unknown][] = [];
  for (const [key, value] of Object.entries(settings)) {
    const base = baseOf(key);
    if (base === undefined) {
      entries.push([key, await readSecrets(value, files, faults, [...at, key])]);
    } else if (Object.hasOwn(settings, base)) {
      faults.add([...at, key], `give ${base} or ${key}, not both`);
    } else {
      faults.rename([...at, base], [...at, key]);
      entries.push([base, await readSecret(value, files, faults, [...at, base])]);
    }
  }
  return Object.fromEntries(entries);
}

function baseOf(key: string): string | undefined {
  return Object.entries(fileKeys).find(([fileKey]) => fileKey === key)?.[1];
}

async function readSecret(name: unknown, files: ConfigFiles, faults: Faults, path: Path): Promise<string> {
  if (faults.has(path)) return unread;
  if (typeof name !== 'string' || name === '') {
    faults.add(path, 'must be the path of a file');
    return unread;
  }
  const read = await files.read(name);
  if ('text' in read) return read.text.replace(/\r?\n$/, '');
  faults.add(path, `the file ${files.path(name)} ${read.problem}`);
  return unread;
}
