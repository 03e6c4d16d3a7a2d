import type { Screen } from './screen.ts';
import type { Summary } from './summary.ts';

/** What a story is told with. */
export interface Telling {
  readonly screen: Screen;
  /** Ends the story early. */
  readonly interrupted: AbortSignal;
  /** What must be ended when the story is over, in the order of its start. */
  readonly ending: (() => unknown)[];
  /** What is still to come needs nobody who looks on: the next story may begin. Its summary comes after all of them. */
  meanwhile(): void;
}

/** What the real scaler does between a source and KEDA. */
export interface Story {
  /** As `--story` names it: a source, from asleep to busy and back, or what is shown. */
  readonly name: string;
  /** How many times faster than by default KEDA and the HPA run in it. */
  readonly speed: number;
  /** The backlog that fills the bar. */
  readonly fullBar: number;
  /** Why it cannot be told on this machine; undefined where it can. `progress` is told what takes its time. */
  missing(progress: (line: string) => void): Promise<string | undefined>;
  /** Throws ScalerError where something it needs cannot be started. */
  tell(telling: Telling): Promise<Summary>;
}
