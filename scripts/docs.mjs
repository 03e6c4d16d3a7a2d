// Writes the pages of docs/ that come out of the code: `npm run docs`. CI fails where that changes a page.
import { writeFileSync } from 'node:fs';
import { configurationPage } from './docs/configuration.mjs';
import { triggersPage } from './docs/triggers.mjs';
import { validatePage } from './docs/validate.mjs';

const pages = {
  'configuration.md': configurationPage(),
  'triggers.md': triggersPage(),
  'validate.md': await validatePage(),
};

for (const [name, text] of Object.entries(pages)) {
  writeFileSync(new URL(`../docs/${name}`, import.meta.url), text);
}
