import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Faults, Path } from './document.ts';
import { isMapping, mapTexts } from './document.ts';

/** Far above any certificate bundle; keeps a wrong path from filling the memory. */
const maxFileBytes = 1024 * 1024;

export type ReadFile = { text: string } | { problem: string };

/**
 * Reads the configuration's files and remembers what each looked like, so that a change can be seen later by
 * looking at them again. Paths are relative to `directory`.
 */
export class ConfigFiles {
  readonly stamps = new Map<string, string>();
  private readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  path(name: string): string {
    return resolve(this.directory, name);
  }

  async read(name: string): Promise<ReadFile> {
    const path = this.path(name);
    // The stamp is taken before the bytes: a change in between is then seen at the next look.
    this.stamps.set(path, await stampOf(path));
    try {
      return await readText(path);
    } catch (reason) {
      return { problem: problemOf(reason) };
    }
  }

  /** Why the file cannot be used, or undefined. For files that somebody else reads. */
  async check(name: string): Promise<string | undefined> {
    try {
      const found = await readText(this.path(name));
      return 'problem' in found ? found.problem : undefined;
    } catch (reason) {
      return problemOf(reason);
    }
  }
}

/**
 * What a file looks like from outside. Links are followed: Kubernetes changes a mounted ConfigMap or Secret by
 * swapping the link `..data`, and the file behind it is another one.
 */
export async function stampOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeMs } = await stat(path);
    return `${dev}:${ino}:${size}:${mtimeMs}`;
  } catch (reason) {
    return problemOf(reason);
  }
}

async function readText(path: string): Promise<ReadFile> {
  // Asked before it is opened: opening a named pipe would wait for its writer.
  const found = await stat(path);
  if (!found.isFile()) return { problem: 'is not a file' };
  if (found.size > maxFileBytes) return { problem: `is larger than ${maxFileBytes} bytes` };
  const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  return text.trim() === '' ? { problem: 'is empty' } : { text };
}

/** Why a file could not be read, in words that go on after its name. */
export function problemOf(reason: unknown): string {
  if (reason instanceof TypeError) return 'is not UTF-8 text';
  const code = reason instanceof Error && 'code' in reason ? String(reason.code) : 'unknown error';
  const known: Record<string, string> = {
    ENOENT: 'does not exist',
    ENOTDIR: 'does not exist',
    EACCES: 'may not be read (permission denied)',
    EISDIR: 'is a folder',
    EPERM: 'may not be read (permission denied)',
    ELOOP: 'is a link to itself',
  };
  return known[code] ?? `cannot be read (${code})`;
}

/** The keys that name a file; its text becomes the value of the key without `File`. */
export const fileKeys = {
  passwordFile: 'password',
  clientSecretFile: 'clientSecret',
  tokenFile: 'token',
  caFile: 'ca',
  certFile: 'cert',
  keyFile: 'key',
  keyPasswordFile: 'keyPassword',
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

/** The settings that can be read from a file: secrets, certificates and keys. */
const secretKeys: ReadonlySet<string> = new Set(Object.values({ ...fileKeys, ...fileListKeys }));

/**
 * The same settings with every `…File` and `…Files` read into its base key. The line ends that editors, `echo` and
 * Kubernetes Secrets leave behind a secret are cut, wherever it comes from: a file, the environment or the configuration.
 */
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
    if (secretKeys.has(key) && !isMapping(value)) {
      entries.push([key, mapTexts(value, withoutLineEnds)]);
    } else if (base === undefined) {
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

function withoutLineEnds(text: string): string {
  let end = text.length;
  while (text[end - 1] === '\n' || text[end - 1] === '\r') end -= 1;
  return text.slice(0, end);
}

function baseOf(keys: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(keys, key) ? keys[key] : undefined;
}

interface Named {
  /** Where the text goes. */
  path: Path;
  /** Where the file is named. */
  written: Path;
}

async function readSecret(
  name: unknown,
  files: ConfigFiles,
  faults: Faults,
  { path, written }: Named,
): Promise<string> {
  faults.rename(path, written);
  if (faults.has(path)) return unread;
  if (typeof name !== 'string' || name === '') {
    faults.add(path, 'must be the path of a file');
    return unread;
  }
  const read = await files.read(name);
  if ('text' in read) return withoutLineEnds(read.text);
  faults.add(path, `the file ${files.path(name)} ${read.problem}`);
  return unread;
}

async function readSecretList(
  names: unknown,
  files: ConfigFiles,
  faults: Faults,
  { path, written }: Named,
): Promise<readonly string[]> {
  faults.rename(path, written);
  if (Array.isArray(names)) {
    const named = (i: number): Named => ({ path: [...path, i], written: [...written, i] });
    return Promise.all(names.map((name, i) => readSecret(name, files, faults, named(i))));
  }
  if (!faults.has(path)) faults.add(path, 'must be a list of paths of files');
  return [unread];
}
