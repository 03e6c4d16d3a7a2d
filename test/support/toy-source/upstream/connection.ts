import { statSync, watch as watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ScalerError } from '../../../../src/errors.ts';
import type { Connection, ConnectionDeps, Wake, Watch } from '../../../../src/sources/source.ts';
import type { LinesConfig } from '../config.ts';
import type { LinesParams } from '../params.ts';
import type { LinesSnapshot } from '../rules/backlog.ts';
import { fromFs } from './errors.ts';

export function connect(
  { directory, pin }: LinesConfig,
  { metrics }: ConnectionDeps,
): Connection<LinesParams, LinesSnapshot, undefined> {
  /** The text of a file. Throws ScalerError. */
  const textOf = async (file: string, signal?: AbortSignal): Promise<string> => {
    try {
      const text = await readFile(join(directory, file), { encoding: 'utf8', ...(signal && { signal }) });
      metrics.request('read', 'ok');
      return text;
    } catch (reason) {
      metrics.request('read', 'error');
      throw fromFs(reason, file);
    }
  };
  const snapshotOf = async (file: string, signal: AbortSignal): Promise<LinesSnapshot> => {
    if ((await textOf('.pin', signal)).trim() !== pin)
      throw new ScalerError('denied', 'the pin is not what the file .pin holds: set pinFile');
    const text = await textOf(file, signal);
    const lines = text.split('\n').filter((line) => line !== '').length;
    return { lines, bytes: Buffer.byteLength(text) };
  };
  return {
    subject: ({ file }) => ({ key: file, hintNames: [file], need: undefined }),
    async read(subjects, deliver, signal) {
      const reads = subjects.map(async ({ key }) => {
        try {
          deliver(key, { snapshot: await snapshotOf(key, signal) });
        } catch (reason) {
          deliver(key, ScalerError.from(reason));
        }
      });
      await Promise.all(reads);
    },
    arm: ({ key }, from, wake) => armed({ path: join(directory, key), file: key, from, wake }),
    close: async () => {},
  };
}

interface Arming {
  readonly path: string;
  readonly file: string;
  readonly from: LinesSnapshot;
  readonly wake: Wake;
}

/** Fires at the first change of the file after the snapshot, even if that came before the watch stood. */
function armed({ path, file, from, wake }: Arming): Watch {
  try {
    const watcher = watchFile(path, { persistent: false }, () => wake('watch'));
    watcher.on('error', () => wake('watch'));
    if (statSync(path).size !== from.bytes) wake('watch');
    return { state: 'armed', confirmedAtMs: undefined, close: () => watcher.close() };
  } catch (reason) {
    throw fromFs(reason, file);
  }
}
