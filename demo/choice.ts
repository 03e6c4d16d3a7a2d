import { ScalerError } from '../src/errors.ts';
import type { Story } from './story.ts';

/** The chosen stories. */
export interface Choice {
  /** Only this one. Undefined for the default stories. */
  readonly story: string | undefined;
  /** Kafka's story too. */
  readonly kafka: boolean;
  /** After the last story everything keeps running until it is interrupted. */
  readonly keep: boolean;
}

export interface Stories {
  readonly byDefault: readonly Story[];
  readonly kafka: Story;
}

/**
 * The stories to tell, in order. One that this machine cannot tell is left out, and `say` gets the reason. If it was
 * chosen by name, that is a ScalerError.
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
