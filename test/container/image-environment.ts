import { readFileSync } from 'node:fs';

const names = ['NODE_OPTIONS', 'MALLOC_ARENA_MAX'];

/** What the image sets for Node and its memory, by the Dockerfile: for programs that run as shipped, without an image. */
export function imageEnvironment(): Record<string, string> {
  const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
  return Object.fromEntries(
    names.map((name) => {
      const value = new RegExp(`\\b${name}="?([^"\\\\\\n]*[^"\\\\\\n ])`).exec(dockerfile)?.[1];
      if (value === undefined) throw new Error(`Dockerfile: has no ${name}`);
      return [name, value];
    }),
  );
}
