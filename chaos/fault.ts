import { setTimeout as sleep } from 'node:timers/promises';
import type { Scene, Stage } from './stage.ts';
import type { Traffic } from './traffic.ts';

/** One way to break something. */
export interface Fault {
  readonly name: string;
  /** What is broken, for people. */
  readonly about: string;
  /** How long it goes on where nobody says otherwise, starting and ending aside. */
  readonly seconds: number;
  /** It runs only where it is named. */
  readonly onlyByName?: boolean;
  /** Prepares what the scene needs, such as certificates, in the directory of the run. */
  scene(directory: string): Scene;
  /** Breaks and heals, for about so long. What it gives is said in the table. */
  run(stage: Stage, seconds: number): Promise<string>;
}

export interface Rounds {
  readonly seconds: number;
  /** For how long it stays broken, each time. */
  readonly brokenSeconds: number;
  /** What comes back by itself after healing has this time beside its bound. */
  readonly graceMs?: number;
  break(round: number, traffic: Traffic): Promise<void> | void;
  heal(round: number): Promise<void> | void;
}

/** Breaks and heals under traffic, again and again, with calm between for everything to be seen. Gives how often. */
export async function rounds(stage: Stage, plan: Rounds): Promise<string> {
  const { invariants, traffic, backlogs, random } = stage;
  const longestMs = Math.max(...backlogs.map(({ subject }) => subject.boundMs));
  const { seconds, brokenSeconds, graceMs = 0 } = plan;
  // Time to be seen, and then for backlogs to be empty for so long that the next growth is an edge.
  const calmMs = graceMs + 1.5 * longestMs;
  const untilMs = performance.now() + seconds * 1000;
  let round = 0;
  await sleep(longestMs);
  do {
    // Not always at the same moment of what goes on.
    await sleep(random() * 2000);
    invariants.broken(performance.now());
    stage.progress(`broken, round ${round + 1}`);
    await plan.break(round, traffic);
    await sleep(brokenSeconds * 1000);
    await plan.heal(round);
    invariants.healed(performance.now(), graceMs);
    stage.progress(`healed, round ${round + 1}`);
    await sleep(calmMs);
    round++;
  } while (performance.now() + brokenSeconds * 1000 + calmMs < untilMs);
  return `${round} ${round === 1 ? 'time' : 'times'}`;
}
