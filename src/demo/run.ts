import type { WriteStream } from 'node:tty';
import { timingsText } from './keda-text.ts';
import { Screen } from './screen.ts';
import { githubStory } from './stories/github/story.ts';
import { kafkaStory } from './stories/kafka/story.ts';
import type { Story } from './story.ts';
import { demoSpeed, demoTimings } from './timings.ts';

const stories: readonly Story[] = [kafkaStory, githubStory];

/** What `--source` takes. */
export const choices: readonly string[] = [...stories.map(({ source }) => source), 'all'];

/**
 * Tells the story of one source, or of all that this machine can tell. Resolves with whether every promise was
 * kept. Throws ScalerError where what a story needs cannot be started.
 */
export async function runDemo(out: WriteStream, source: string, interrupted: AbortSignal): Promise<boolean> {
  const screen = new Screen(out);
  let kept = true;
  for (const story of stories) {
    if (interrupted.aborted) return false;
    if (source !== 'all' && source !== story.source) continue;
    const missing = source === 'all' ? await story.missing((line) => screen.event(line)) : undefined;
    if (missing !== undefined) screen.event(`The ${story.source} story is left out: ${missing}`);
    else kept = (await perform(story, screen, interrupted)) && kept;
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
