import { readFileSync } from 'node:fs';

const names = ['NODE_OPTIONS', 'MALLOC_ARENA_MAX'];

const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');

/** What the image sets for Node and its memory, by the Dockerfile: for programs that run as shipped, without an image. */
export function imageEnvironment(): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => {
      const value = new RegExp(`\\b${name}="?([^"\\\\\\n]*[^"\\\\\\n ])`).exec(dockerfile)?.[1];
      if (value === undefined) throw new Error(`Dockerfile: has no ${name}`);
      return [name, value];
    }),
  );
}

/** The options that the image's entry point gives to Node itself. */
export function imageNodeOptions(): string[] {
  const entry = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1];
  if (entry === undefined) throw new Error('Dockerfile: has no ENTRYPOINT');
  const words: string[] = JSON.parse(entry);
  return words.filter((word) => word.startsWith('--'));
}
