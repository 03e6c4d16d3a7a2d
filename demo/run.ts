import type { WriteStream } from 'node:tty';
import { type Choice, choose } from './choice.ts';
import { demoSpeed, demoTimings, timingsText } from './pace.ts';
import { Screen } from './screen.ts';
import { githubStory } from './stories/github/story.ts';
import { kafkaStory } from './stories/kafka/story.ts';
import { sqsStory } from './stories/sqs/story.ts';
import type { Story } from './story.ts';

/** The first two need nothing but Node. */
const stories = { byDefault: [sqsStory, githubStory], kafka: kafkaStory };

/** What `--source` takes. */
export const choices: readonly string[] = [...stories.byDefault, stories.kafka].map(({ source }) => source);

/**
 * Tells the stories one after the other. Resolves with whether every promise was kept. Throws ScalerError, before
 * it tells any, where one that was asked for by name cannot be told on this machine.
 */
export async function runDemo(out: WriteStream, choice: Choice, interrupted: AbortSignal): Promise<boolean> {
  const screen = new Screen(out);
  let kept = true;
  for (const story of await choose(stories, choice, (line) => screen.event(line))) {
    if (interrupted.aborted) return false;
    kept = (await perform(story, screen, interrupted)) && kept;
  }
  return kept;
}

async function perform(story: Story, screen: Screen, interrupted: AbortSignal): Promise<boolean> {
  const ending: (() => unknown)[] = [];
  screen.begin(story.fullBar);
  screen.say(`\n── ${story.source} ──`);
  screen.say(timingsText(demoSpeed, demoTimings));
  try {
    const { kept, lines } = await story.tell({ screen, interrupted, ending });
    screen.end();
    if (interrupted.aborted) {
      screen.event('Interrupted; stopping …');
      return false;
    }
    screen.say(['', ...lines].join('\n'));
    return kept;
  } finally {
    screen.end();
    for (const end of ending.reverse()) await end();
  }
}
