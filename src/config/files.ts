import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { natsFiles } from '../outbound/nats.ts';
import type { AnySource, FromFile } from '../sources/source.ts';
import type { Faults, Path } from './document.ts';
import { isMapping, mapTexts } from './document.ts';

/** Far above any certificate bundle; keeps a wrong path from filling the memory. */
export const maxFileBytes = 1024 * 1024;

/** What a file holds, or why it cannot be used, in words that go on after its name. */
export type ReadFile =
  | { text: string }
  | {
      problem: string;
      /** Whether it is not there, or may not be read. */
      isAbsent?: boolean;
    };

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
    return readText(path);
  }

  /** Adds a fault if the file cannot be used. For files that somebody else reads, and whose changes they see. */
  async check(name: string, faults: Faults, at: Path): Promise<void> {
    const files = new ConfigFiles(this.directory);
    const found = await files.read(name);
    if (!('problem' in found)) return;
    for (const [path, stamp] of files.stamps) this.stamps.set(path, stamp);
    addFault(faults, at, this.path(name), found);
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
  try {
    // Asked before it is opened: opening a named pipe would wait for its writer.
    const found = await stat(path);
    if (!found.isFile()) return { problem: 'is not a file' };
    if (found.size > maxFileBytes) return { problem: `is larger than ${maxFileBytes} bytes` };
    return nonEmpty(new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path)));
  } catch (reason) {
    return { problem: problemOf(reason), isAbsent: absentCodes.has(codeOf(reason)) };
  }
}

const absentCodes: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM']);

function codeOf(reason: unknown): string {
  return reason instanceof Error && 'code' in reason ? String(reason.code) : 'unknown error';
}

function addFault(
  faults: Faults,
  at: Path,
  file: string,
  { problem, isAbsent = false }: Extract<ReadFile, { problem: string }>,
): void {
  faults.add(at, `the file ${file} ${problem}`, isAbsent ? { file } : undefined);
}

export function nonEmpty(text: string): ReadFile {
  return text.trim() === '' ? { problem: 'is empty' } : { text };
}

/** Why a file could not be read, in words that go on after its name. */
export function problemOf(reason: unknown): string {
  if (reason instanceof TypeError) return 'is not UTF-8 text';
  const code = codeOf(reason);
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

/** The settings that can come from files, by their keys; see FromFile. */
export type FileSettings = Readonly<Record<string, FromFile>>;

/** Those of the sections that have any, by section. The gRPC server reads its own files. */
export const sectionFiles: Readonly<Record<string, FileSettings>> = {
  admin: { token: 'secret' },
  ingest: { token: 'secret' },
  decisions: { token: 'secret' },
  eventLog: natsFiles,
};

/** All of them. */
export const ownFileSettings: FileSettings = Object.assign({}, ...Object.values(sectionFiles));

/** Those that hold a secret, wherever in the configuration they stand. */
export function secretSettings(sources: readonly AnySource[]): FileSettings {
  const all = [ownFileSettings, ...sources.map(({ files = {} }) => files)].flatMap(Object.entries);
  return Object.fromEntries(all.filter(([, how]) => how !== 'open'));
}

/** The key that names one or several files for a setting. Undefined if there is no such key. */
export function fileSpelling(setting: string, settings: FileSettings): string | undefined {
  const how = Object.hasOwn(settings, setting) ? settings[setting] : undefined;
  if (how === undefined) return undefined;
  return how === 'secrets' ? `${setting.slice(0, -1)}Files` : `${setting}File`;
}

/** Stands where a file could not be read, so that its key does not count as missing too. */
const unread = 'unread';

/**
 * The same settings with every `…File` and `…Files` read into its base key. The line ends that editors, `echo` and
 * Kubernetes Secrets leave behind a secret are cut, wherever it comes from: a file, the environment or the configuration.
 */
export async function readSecrets(
  settings: unknown,
  known: FileSettings,
  { files, faults, at }: { files: ConfigFiles; faults: Faults; at: Path },
): Promise<unknown> {
  const bases = new Map(Object.keys(known).map((base) => [fileSpelling(base, known), base]));
  const read = async (node: unknown, at: Path): Promise<unknown> => {
    if (Array.isArray(node)) return Promise.all(node.map((member, i) => read(member, [...at, i])));
    if (!isMapping(node)) return node;
    const entries: [string, unknown][] = [];
    for (const [key, value] of Object.entries(node)) {
      const written = [...at, key];
      const base = bases.get(key);
      if (Object.hasOwn(known, key) && !isMapping(value)) {
        entries.push([key, mapTexts(value, withoutLineEnds)]);
      } else if (base === undefined) {
        entries.push([key, await read(value, written)]);
      } else if (Object.hasOwn(node, base)) {
        faults.add(written, `give ${base} or ${key}, not both`);
      } else {
        const readFiles = known[base] === 'secrets' ? readSecretList : readSecret;
        entries.push([base, await readFiles(value, files, faults, { path: [...at, base], written })]);
      }
    }
    return Object.fromEntries(entries);
  };
  return read(settings, at);
}

function withoutLineEnds(text: string): string {
  let end = text.length;
  while (text[end - 1] === '\n' || text[end - 1] === '\r') end -= 1;
  return text.slice(0, end);
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
  addFault(faults, path, files.path(name), read);
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
