import { cpSync, readdirSync } from 'node:fs';

// The compiler copies only TypeScript.
const from = new URL('../src/admin/page/', import.meta.url);
const to = new URL('../dist/admin/page/', import.meta.url);
for (const name of readdirSync(from)) {
  if (/\.(html|css|svg)$/.test(name)) cpSync(new URL(name, from), new URL(name, to));
}
