import { rmSync } from 'node:fs';

// What was built from files that are gone must not be found by an import any more.
rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
