import { setTimeout as sleep } from 'node:timers/promises';
import type { Scene, Stage } from './stage.ts';
import type { Traffic } from './traffic.ts';

/** One way to break something. */
export interface Fault {
  readonly name: string;
  /** What is broken, for people. */
  readonly about: string;
  /** How long it lasts by default, without start and end. */
  readonly seconds: number;
  /** Whether it runs only if chosen by name. */
  readonly onlyByName?: boolean;
  /** Prepares the scene, such as its certificates, in the directory of the run. */
  scene(directory: string): Scene;
  /** Breaks and heals for about this time. The result appears in the table. */
  run(stage: Stage, seconds: number): Promise<string>;
}

export interface Rounds {
  readonly seconds: number;
  /** How long it stays broken, each time. */
  readonly brokenSeconds: number;
  /** Additional time after healing, for something that must come back by itself. */
  readonly graceMs?: number;
  break(round: number, traffic: Traffic): Promise<void> | void;
  heal(round: number): Promise<void> | void;
}

/** Breaks and heals under traffic, again and again, with calm in between for everything to be seen. Returns how often. */
export async function rounds(stage: Stage, plan: Rounds): Promise<string> {
  const { invariants, traffic, backlogs, random } = stage;
  const longestMs = Math.max(...backlogs.map(({ subject }) => subject.boundMs));
  const { seconds, brokenSeconds, graceMs = 0 } = plan;
  // Calm for everything to be seen, and then for backlogs to be empty so long that the next growth is an edge.
  const calmMs = graceMs + 1.5 * longestMs;
  const untilMs = performance.now() + seconds * 1000;
  let round = 0;
  await sleep(longestMs);
  do {
    // So that it does not always hit the same moment.
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
