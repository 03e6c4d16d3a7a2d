import type { Pace, PaceView, Reading, Target } from '../../../../src/sources/source.ts';
import type { LinesConfig } from '../config.ts';
import type { LinesParams } from '../params.ts';

export interface LinesSnapshot {
  readonly lines: number;
  /** The size of the file. Another size means other content. */
  readonly bytes: number;
}

/** How often a file at rest is read while its watch stands. */
const restMs = 60_000;

export function backlog({ activationLines }: LinesParams, { lines }: LinesSnapshot): Reading {
  return { kind: 'known', items: lines, active: lines > activationLines, detail: () => ({ lines }) };
}

/** An active file is read at its pace. One at rest is watched. */
export function pace(
  { activeReadMs }: LinesConfig,
  { active, watch }: PaceView<LinesSnapshot, undefined>,
): Pace {
  return { nextReadMs: active || watch !== 'armed' ? activeReadMs : restMs, watch: !active };
}

export function target({ file, linesPerReplica, activationLines }: LinesParams): Target {
  return { perReplica: linesPerReplica, activation: activationLines, nameParts: [file] };
}
