// Generates from the code: pages and tables of docs/, alerts, and the chart's facts about sources. Run by `npm run docs`.
// CI fails if that changes a file.
import { writeFileSync } from 'node:fs';
import { sources } from '../src/sources/index.ts';
import { generated } from './docs/generated.ts';
import { simulatePages } from './docs/simulate.ts';
import { validatePage } from './docs/validate.ts';

const files = [
  ...generated(sources),
  ['docs/validate.md', await validatePage()] as const,
  ...(await simulatePages()),
];
for (const [path, text] of files) writeFileSync(new URL(`../${path}`, import.meta.url), text);
