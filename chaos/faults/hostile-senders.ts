import { turnInWords } from '../../bench/support/child-process.ts';
import { attack, type HostileName, hostileSenders } from '../../fakes/senders/hostile.ts';
import { type Fault, rounds } from '../fault.ts';
import { tenant } from '../places/events.ts';
import { connection as snsConnection, snsTopic } from '../places/sqs.ts';

const names = Object.keys(hostileSenders) as HostileName[];

export const hostile: Fault = {
  name: 'hostile-senders',
  about: 'senders that fill the event loop and the sockets, all of them at once',
  seconds: 25,
  // Attacks must not slow our calls down. They may fail no longer than it takes to connect.
  scene: () => ({ kafka: { topics: 2 }, sqs: 1, events: 2, failForMs: 1000 }),
  async run(stage, seconds) {
    let attacks: ReturnType<typeof attack> | undefined;
    let attempts = 0;
    const process = stage.pod.process;
    await process.longestTurn();
    const times = await rounds(stage, {
      seconds,
      brokenSeconds: Math.max(3, seconds / 4),
      graceMs: 2000,
      break() {
        const port = stage.pod.ingestPort;
        attacks = attack(names, { port, connection: tenant, token: stage.token, snsConnection, snsTopic });
      },
      async heal() {
        const done = await attacks?.stop();
        for (const count of done?.values() ?? []) attempts += count;
      },
    });
    const turn = await process.longestTurn();
    return `${times}, ${attempts} attempts; longest turn ${turnInWords(turn)}`;
  },
};
