import { rmSync } from 'node:fs';

// So that no import finds the output of a deleted file.
rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
