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
  privateKeyFile: 'privateKey',
  webhookSecretFile: 'webhookSecret',
  accessKeyIdFile: 'accessKeyId',
  secretAccessKeyFile: 'secretAccessKey',
  sessionTokenFile: 'sessionToken',
} as const;

/** The keys that name several files; their texts become a list (a secret that is being replaced). */
export const fileListKeys = {
  webhookSecretFiles: 'webhookSecrets',
} as const;

/** The keys by which files can be named for a setting. */
export function fileSpellings(setting: string): string[] {
  return Object.entries({ ...fileKeys, ...fileListKeys }).flatMap(([key, base]) =>
    base === setting ? [key] : [],
  );
}

/** Stands where a file could not be read, so that its key does not count as missing too. */
const unread = 'unread';

/** The same settings with every `…File` and `…Files` read into its base key. The line end that editors leave is cut. */
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
    const written = [...at, key];
    const base = baseOf(fileKeys, key) ?? baseOf(fileListKeys, key);
    if (base === undefined) {
      entries.push([key, await readSecrets(value, files, faults, written)]);
    } else if (Object.hasOwn(settings, base)) {
      faults.add(written, `give ${base} or ${key}, not both`);
    } else {
      const read = Object.hasOwn(fileKeys, key) ? readSecret : readSecretList;
      entries.push([base, await read(value, files, faults, { path: [...at, base], written })]);
    }
  }
  return Object.fromEntries(entries);
}

function baseOf(keys: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(keys, key) ? keys[key] : undefined;
}

interface Place {
  /** Where the text goes. */
  path: Path;
  /** Where the file is named. */
  written: Path;
}

async function readSecret(
  name: unknown,
  files: ConfigFiles,
  faults: Faults,
  { path, written }: Place,
): Promise<string> {
  faults.rename(path, written);
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

async function readSecretList(
  names: unknown,
  files: ConfigFiles,
  faults: Faults,
  { path, written }: Place,
): Promise<readonly string[]> {
  faults.rename(path, written);
  if (Array.isArray(names)) {
    const place = (i: number): Place => ({ path: [...path, i], written: [...written, i] });
    return Promise.all(names.map((name, i) => readSecret(name, files, faults, place(i))));
  }
  if (!faults.has(path)) faults.add(path, 'must be a list of paths of files');
  return [unread];
}
