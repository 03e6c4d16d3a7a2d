import { z } from 'zod';
import { secret } from '../../../src/sources/ignored-keys.ts';
import type { ConnectionKey } from '../../../src/sources/source.ts';

export const linesConfig = z.strictObject({
  directory: z.string().min(1).describe('The directory that has the files of lines.'),
  pin: z.string().min(1).describe('`pin` or `pinFile`: what the file `.pin` of the directory must hold.'),
  activeReadMs: z.int().min(10).default(1000).describe('How often an active file of lines is read, in ms.'),
});

/** Holds a secret: never logged. */
export type LinesConfig = z.output<typeof linesConfig>;

export const linesConnectionKeys: Readonly<Record<string, ConnectionKey<LinesConfig>>> = {
  linesDirectory: {
    doc: 'Picks the connection of this directory of lines.',
    selects: true,
    agrees: ({ directory }, value) => directory === value,
  },
  linesPin: secret,
};
