import type { Screen } from './screen.ts';
import type { Summary } from './summary.ts';

/** What a story gets to work with. */
export interface Telling {
  readonly screen: Screen;
  /** Ends the story early. */
  readonly interrupted: AbortSignal;
  /** Everything to end after the story, in the order of its start. */
  readonly ending: (() => unknown)[];
  /** The rest needs no spectators, so the next story may begin. Its summary comes after all of them. */
  meanwhile(): void;
}

/** Shows what the real scaler does between a source and KEDA. */
export interface Story {
  /** The value of `--story`: a source, from asleep to busy and back, or the feature shown. */
  readonly name: string;
  /** How much faster than by default KEDA and the HPA run in it. */
  readonly speed: number;
  /** The backlog that fills the bar. */
  readonly fullBar: number;
  /** Why this machine cannot tell it, or undefined. `progress` gets a line about what takes time. */
  missing(progress: (line: string) => void): Promise<string | undefined>;
  /** Throws ScalerError if something it needs cannot be started. */
  tell(telling: Telling): Promise<Summary>;
}
