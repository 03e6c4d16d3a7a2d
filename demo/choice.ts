import { ScalerError } from '../src/errors.ts';
import type { Story } from './story.ts';

/** Which stories somebody asks for. */
export interface Choice {
  /** One alone; undefined: those that are told by default. */
  readonly story: string | undefined;
  /** Kafka as well. */
  readonly kafka: boolean;
  /** What was started runs on after the last story, until it is interrupted. */
  readonly keep: boolean;
}

export interface Stories {
  readonly byDefault: readonly Story[];
  readonly kafka: Story;
}

/**
 * The stories to tell, in their order. One that this machine cannot tell is left out, and `say` is told why;
 * where it was asked for by name, that is a ScalerError.
 */
export async function choose(
  { byDefault, kafka }: Stories,
  choice: Choice,
  say: (line: string) => void,
): Promise<Story[]> {
  const isNamed = (story: Story) => story.name === choice.story || (choice.kafka && story === kafka);
  const chosen: Story[] = [];
  for (const story of [...byDefault, kafka]) {
    if (!isNamed(story) && (choice.story !== undefined || story === kafka)) continue;
    const missing = await story.missing(say);
    if (missing === undefined) chosen.push(story);
    else if (isNamed(story)) throw new ScalerError('unavailable', missing);
    else say(`The ${story.name} story is left out: ${missing}`);
  }
  return chosen;
}
