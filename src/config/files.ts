import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';

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

function problemOf(reason: unknown): string {
  if (reason instanceof TypeError) return 'is not UTF-8 text';
  const code = reason instanceof Error && 'code' in reason ? String(reason.code) : 'unknown error';
  const known: Record<string, string> = {
    ENOENT: 'does not exist',
    ENOTDIR: 'does not exist',
    EACCES: 'may not be read (permission denied)',
    EPERM: 'may not be read (permission denied)',
    ELOOP: 'is a link to itself',
  };
  return known[code] ?? `cannot be read (${code})`;
}
