import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { programFile } from '../package.ts';

export interface PageFile {
  readonly type: string;
  readonly text: string;
  readonly etag: string;
}

const require = createRequire(import.meta.url);
/** The chart library, as its package has it. */
const borrowed: Readonly<Record<string, string>> = {
  'uplot.js': 'uplot/dist/uPlot.esm.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
};
const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  js: 'text/javascript; charset=utf-8',
  ts: 'text/javascript; charset=utf-8',
};

/** The files of the status page, read when they are first asked for. */
export class PageFiles {
  private readonly kept = new Map<string, PageFile>();

  /** Undefined if there is no file of this name. */
  async get(name: string): Promise<PageFile | undefined> {
    const type = types[/^[a-z-]{1,40}\.([a-z]{2,4})$/.exec(name)?.[1] ?? ''];
    if (type === undefined) return undefined;
    const known = this.kept.get(name);
    if (known) return known;
    const text = await textOf(name);
    if (text === undefined) return undefined;
    const etag = `"${createHash('sha256').update(text).digest('base64url')}"`;
    const file = { type, text, etag };
    this.kept.set(name, file);
    return file;
  }
}

async function textOf(name: string): Promise<string | undefined> {
  const own = borrowed[name];
  if (own !== undefined) return readFile(require.resolve(own), 'utf8');
  const found = await read(name);
  // What is built has its modules as JavaScript; from source they are stripped of their types here.
  if (found !== undefined) return name.endsWith('.ts') ? strip(found) : found;
  if (!name.endsWith('.js')) return undefined;
  const source = await read(`${name.slice(0, -3)}.ts`);
  return source === undefined ? undefined : strip(source);
}

async function read(name: string): Promise<string | undefined> {
  try {
    return await readFile(programFile(`admin/page/${name}`), 'utf8');
  } catch {
    return undefined;
  }
}

/** Without Node's warning that this function is experimental: the process runs by the same means anyway. */
function strip(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
