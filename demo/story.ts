import type { Screen } from './screen.ts';
import type { Summary } from './summary.ts';

/** What a story is told with. */
export interface Telling {
  readonly screen: Screen;
  /** Ends the story early. */
  readonly interrupted: AbortSignal;
  /** What must be ended when the story is over, in the order of its start. */
  readonly ending: (() => unknown)[];
}

/** One source, from asleep to busy and back, with the real scaler between. */
export interface Story {
  /** The kind of the source, as `--source` names it. */
  readonly source: string;
  /** The backlog that fills the bar. */
  readonly fullBar: number;
  /** Why it cannot be told on this machine; undefined where it can. `progress` is told what takes its time. */
  missing(progress: (line: string) => void): Promise<string | undefined>;
  /** Throws ScalerError where something it needs cannot be started. */
  tell(telling: Telling): Promise<Summary>;
}
