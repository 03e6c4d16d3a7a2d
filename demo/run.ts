import type { WriteStream } from 'node:tty';
import { type Choice, choose } from './choice.ts';
import { timingsText } from './pace.ts';
import { Screen } from './screen.ts';
import { githubStory } from './stories/github/story.ts';
import { kafkaStory } from './stories/kafka/story.ts';
import { sqsStory } from './stories/sqs/story.ts';
import { surgeStory } from './stories/surge/story.ts';
import type { Story } from './story.ts';
import type { Summary } from './summary.ts';

/** The default stories need nothing but Node. The first continues beside the others. */
const stories = { byDefault: [surgeStory, sqsStory, githubStory], kafka: kafkaStory };

/** The values of `--story`. */
export const choices: readonly string[] = [...stories.byDefault, stories.kafka].map(({ name }) => name);

/**
 * Tells the stories one after the other. Resolves with whether every promise was kept. Throws ScalerError before the
 * first story if this machine cannot tell one that was chosen by name.
 */
export async function runDemo(out: WriteStream, choice: Choice, interrupted: AbortSignal): Promise<boolean> {
  const screen = new Screen(out);
  const chosen = await choose(stories, choice, (line) => screen.event(line));
  interrupted.addEventListener('abort', () => screen.event('Interrupted; stopping …'));
  const failed = new AbortController();
  const ended = AbortSignal.any([interrupted, failed.signal]);
  const going: { story: Story; over: Promise<Summary> }[] = [];
  const summaries: Summary[] = [];
  /** Everything that keeps running, in the order of its start. */
  const kept: (() => unknown)[] = [];
  const conclude = (summary: Summary): void => {
    summaries.push(summary);
    if (!ended.aborted) screen.say(['', ...summary.lines].join('\n'));
  };
  try {
    for (const story of chosen) {
      if (ended.aborted) break;
      const told = perform(story, screen, ended, choice.keep ? kept : undefined);
      const early = await Promise.race([told.over, told.meanwhile]);
      if (early) conclude(early);
      else going.push({ story, over: told.over });
    }
    for (const { story, over } of going) {
      const summary = await over;
      if (!ended.aborted) screen.say(`\n── ${story.name} ──`);
      conclude(summary);
    }
    const isTold = !interrupted.aborted;
    if (choice.keep && isTold) await untilInterrupted(screen, interrupted);
    return isTold && summaries.every(({ kept }) => kept);
  } finally {
    failed.abort();
    await Promise.allSettled(going.map(({ over }) => over));
    await endAll(kept);
  }
}

/** `meanwhile` resolves when the next story may begin beside the rest of this one. */
function perform(story: Story, screen: Screen, interrupted: AbortSignal, kept?: (() => unknown)[]) {
  let release = (): void => {};
  const meanwhile = new Promise<undefined>((resolve) => {
    release = () => resolve(undefined);
  });
  const over = tell(story, screen, interrupted, release, kept);
  // A failure during another story shows at the end.
  over.catch(() => {});
  return { over, meanwhile };
}

async function tell(
  story: Story,
  screen: Screen,
  interrupted: AbortSignal,
  meanwhile: () => void,
  kept?: (() => unknown)[],
): Promise<Summary> {
  const ending: (() => unknown)[] = [];
  screen.begin(story);
  screen.say(`\n── ${story.name} ──`);
  screen.say(timingsText(story.speed));
  try {
    return await story.tell({ screen, interrupted, ending, meanwhile });
  } finally {
    screen.end();
    if (kept) kept.push(...ending);
    else await endAll(ending);
  }
}

async function endAll(ending: (() => unknown)[]): Promise<void> {
  for (const end of ending.reverse()) await end();
}

async function untilInterrupted(screen: Screen, interrupted: AbortSignal): Promise<void> {
  screen.rest();
  // A signal alone keeps no process alive.
  const alive = setInterval(() => {}, 60_000);
  await new Promise((resolve) => interrupted.addEventListener('abort', resolve, { once: true }));
  clearInterval(alive);
}
