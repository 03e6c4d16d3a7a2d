import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { cached } from './cached.ts';
import { npmPackage } from './npm-package.ts';
import { run } from './run.ts';
import { ToolMissing } from './tool-missing.ts';

const version = '153.0.0';

/** A headless browser, and the environment that it needs. */
export interface Chromium {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Chromium for Linux on Intel, with its libraries and a font, from the package @sparticuz/chromium. */
export async function chromium(): Promise<Chromium> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new ToolMissing('Chromium is only packed for Linux on Intel');
  }
  const folder = await cached({ name: 'chromium', version }, async (unfinished) => {
    const packed = join(await npmPackage('@sparticuz/chromium', version), 'bin');
    await mkdir(unfinished);
    const unpack = (name: string, into: string): Promise<void> =>
      pipeline(createReadStream(join(packed, name)), createBrotliDecompress(), createWriteStream(into));
    const program = join(unfinished, 'chromium');
    await unpack('chromium.br', program);
    await chmod(program, 0o755);
    for (const name of ['al2023', 'swiftshader', 'fonts']) {
      const archive = join(unfinished, `${name}.tar`);
      await unpack(`${name}.tar.br`, archive);
      await run('tar', ['xf', archive, '-C', unfinished], { doing: `unpacking ${name} of Chromium` });
      await rm(archive);
    }
  });
  const fonts = join(folder, 'fonts');
  await writeFile(join(fonts, 'own.conf'), fontsConfiguration(fonts));
  return {
    program: join(folder, 'chromium'),
    env: {
      LD_LIBRARY_PATH: [join(folder, 'lib'), folder].join(':'),
      FONTCONFIG_FILE: join(fonts, 'own.conf'),
    },
  };
}

function fontsConfiguration(folder: string): string {
  return `<?xml version="1.0"?><fontconfig><dir>${folder}</dir><cachedir>${folder}/cache</cachedir></fontconfig>\n`;
}
