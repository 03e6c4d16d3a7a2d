import { createReadStream, type Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { maxFileBytes, nonEmpty, problemOf } from '../config/files.ts';
import { type LoadResult, loadConfig } from '../config/load.ts';
import { isForeign, maxYamlBytes } from '../scaledobjects/read.ts';
import { sources } from '../sources/index.ts';

/** A file as it was named, and what it holds, why it cannot be read, or that it holds no object of Kubernetes. */
export type ReadInput =
  | { readonly file: string; readonly text: string }
  | { readonly file: string; readonly problem: string }
  | { readonly file: string; readonly skipped: true };

/** What messages call standard input, which is named `-`. */
export const standardInput = '(standard input)';

const maxFiles = 10_000;
const maxDepth = 32;

/**
 * Reads files, `-` for standard input, and of a folder every *.yaml and *.yml below it that mentions a ScaledObject or
 * ScaledJob, in the order of their names. One of those without `apiVersion` and `kind` is skipped: it may be values of a
 * chart, or an alert. A link in a folder is followed only to a file below that folder.
 */
export async function readInputs(
  paths: readonly string[],
  mostBytes: number = maxYamlBytes,
): Promise<readonly ReadInput[]> {
  const inputs: ReadInput[] = [];
  for (const path of paths) {
    const isFolder = path !== '-' && (await found(path))?.isDirectory() === true;
    if (isFolder) inputs.push(...(await readFolder(path)));
    else inputs.push({ file: nameOf(path), ...(await readText(opened(path), mostBytes)) });
  }
  return inputs;
}

/**
 * Loads the configuration that `--config` names: a file, `-` for standard input, or a pipe, such as a shell's `<(…)`.
 * `isCheck`: see LoadContext.
 */
export async function loadGiven(config: string, { isCheck = false } = {}): Promise<LoadResult> {
  const context = { environment: process.env, sources, isCheck };
  const isStream = config === '-' || (await found(config))?.isFIFO() === true;
  if (!isStream) return loadConfig(config, context);
  const got = await readText(opened(config), maxFileBytes);
  const read = 'text' in got ? nonEmpty(got.text) : got;
  return loadConfig(nameOf(config), { ...context, read });
}

/** What messages call a file. */
export function nameOf(path: string): string {
  return path === '-' ? standardInput : path;
}

/** Why these cannot be read together; undefined where they can. Standard input is read once. */
export function bothFromStandardInput(paths: readonly string[], config: unknown): string | undefined {
  if (config !== '-' || !paths.includes('-')) return undefined;
  return '--file - and --config - cannot both be standard input: give one of them as a file';
}

function opened(path: string): NodeJS.ReadableStream {
  return path === '-' ? process.stdin : createReadStream(path);
}

/** Undefined if nothing is there, or it may not be seen. */
function found(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}

async function readFolder(root: string): Promise<ReadInput[]> {
  const files: string[] = [];
  const found = await walk(root, await realpath(root), files, 0);
  if (found !== undefined) return [{ file: root, problem: found }];
  const inputs: ReadInput[] = [];
  for (const file of files) {
    const read = await readText(createReadStream(file), maxYamlBytes);
    if ('problem' in read) inputs.push({ file, ...read });
    else if (/Scaled(?:Object|Job)/.test(read.text))
      inputs.push(isForeign(read.text) ? { file, skipped: true } : { file, ...read });
  }
  return inputs;
}

/** Adds the files of a folder; says why not all of them. */
async function walk(
  folder: string,
  root: string,
  files: string[],
  depth: number,
): Promise<string | undefined> {
  if (depth > maxDepth) return `has folders in more than ${maxDepth} others`;
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      const problem = await walk(path, root, files, depth + 1);
      if (problem !== undefined) return problem;
    } else if (/\.ya?ml$/i.test(entry.name)) {
      if (!entry.isFile() && !(entry.isSymbolicLink() && (await leadsInto(path, root)))) continue;
      if (files.length === maxFiles) return `has more than ${maxFiles} files of YAML`;
      files.push(path);
    }
  }
  return undefined;
}

async function leadsInto(link: string, root: string): Promise<boolean> {
  try {
    const target = await realpath(link);
    return target.startsWith(`${root}${sep}`) && (await stat(target)).isFile();
  } catch {
    return false;
  }
}

/** At most one byte above the limit, so that the reader can report that it is too large. */
async function readText(
  stream: AsyncIterable<Buffer | string>,
  mostBytes: number,
): Promise<{ text: string } | { problem: string }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      const buffer = Buffer.from(chunk);
      bytes += buffer.length;
      if (bytes > mostBytes) return { problem: `is larger than ${mostBytes} bytes` };
      chunks.push(buffer);
    }
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)) };
  } catch (reason) {
    return { problem: problemOf(reason) };
  }
}
