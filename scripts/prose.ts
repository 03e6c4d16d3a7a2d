// Holds pages and comments to our style (scripts/prose/style.ts) with textlint. `npm run lint` reads all, names of files
// only these. Prints every finding, and exits with 1 if any.
import { readdirSync, readFileSync } from 'node:fs';
import { TextlintKernel } from '@textlint/kernel';
import markdown from '@textlint/textlint-plugin-markdown';
import terminology from 'textlint-rule-terminology';
import { plainPhrases, sentenceLength } from './prose/rules.ts';
import { notTerms, terms } from './prose/style.ts';

const root = new URL('../', import.meta.url);

export interface Finding {
  line: number;
  rule: string;
  message: string;
}

/** What is wrong with a Markdown text, in its order. */
export async function findingsIn(text: string): Promise<Finding[]> {
  const { messages } = await new TextlintKernel().lintText(text, {
    ext: '.md',
    plugins: [{ pluginId: 'markdown', plugin: 'default' in markdown ? markdown.default : markdown }],
    rules: [
      { ruleId: 'sentence', rule: sentenceLength },
      { ruleId: 'phrase', rule: plainPhrases },
      { ruleId: 'term', rule: terminology, options: { defaultTerms: true, terms, exclude: notTerms } },
    ],
  });
  return messages.map(({ line, ruleId, message }) => ({ line, rule: ruleId, message }));
}

/** The comments of a file, on their lines. A parameter is a paragraph of its own. */
export function commentsOf(code: string): string {
  const lines = code.split('\n').map((line) => {
    const [, text] = /^\s*(?:\/\/|\/\*\*?|\*(?=[ /]|$))\s?(.*?)(?:\*\/)?$/.exec(line) ?? [];
    return text?.replace(/^\/$/, '').replace(/^@param \w+ .*$/, '') ?? '';
  });
  return lines.join('\n');
}

/** Folders whose comments are held to the style. */
const codeFolders: readonly string[] = ['src', 'fakes', 'demo', 'chaos', 'bench', 'scripts', 'test'];
const generated = 'src/grpc/generated/';

function isCode(name: string): boolean {
  return /\.(?:ts|mjs)$/.test(name);
}

function filesIn(folder: string): string[] {
  const names = readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' });
  return names.map((name) => `${folder}/${name}`);
}

function sourceFiles(): string[] {
  return codeFolders.flatMap(filesIn).filter((name) => isCode(name) && !name.startsWith(generated));
}

function pages(): string[] {
  const atRoot = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];
  return [...atRoot, ...filesIn('docs').filter((name) => name.endsWith('.md'))];
}

async function findingsOf(page: string): Promise<string[]> {
  const text = readFileSync(new URL(page, root), 'utf8');
  const found = await findingsIn(isCode(page) ? commentsOf(text) : text);
  return found.map(({ line, rule, message }) => `${page}:${line} ${rule}: ${message}`);
}

async function findingsOfAll(): Promise<string[]> {
  return (await Promise.all([...pages(), ...sourceFiles()].map(findingsOf))).flat();
}

if (import.meta.main) {
  const named = process.argv.slice(2);
  const found = named.length > 0 ? (await Promise.all(named.map(findingsOf))).flat() : await findingsOfAll();
  for (const one of found) console.error(one);
  if (found.length > 0) {
    console.error(`${found.length} findings; the style is in scripts/prose/style.ts`);
    process.exitCode = 1;
  }
}
