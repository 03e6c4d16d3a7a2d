import { execFileSync } from 'node:child_process';
import { type Fault, rounds } from '../fault.ts';

export const diskFull: Fault = {
  name: 'disk-full',
  about: 'no file of the event log can grow any more (RLIMIT_FSIZE): events are refused, and sent again',
  seconds: 25,
  scene: () => ({ events: 4 }),
  async run(stage, seconds) {
    const limit = (bytes: string) => {
      // Needs no privilege, because the hard limit stays. Node ignores SIGXFSZ, so a write fails with EFBIG.
      execFileSync('prlimit', [`--pid=${stage.pod.process.pid}`, `--fsize=${bytes}:`]);
    };
    const times = await rounds(stage, {
      seconds,
      brokenSeconds: 5,
      graceMs: 3000,
      break: () => limit('1'),
      heal: () => limit('unlimited'),
    });
    const refused = (await stage.pod.ingested()).get('unavailable') ?? 0;
    if (refused === 0) throw new Error('no event was refused: the disk was not full');
    return `${times}, ${refused} requests refused`;
  },
};
