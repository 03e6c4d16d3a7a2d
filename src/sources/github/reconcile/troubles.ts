import type { ScalerError } from '../../../errors.ts';
import type { Logger } from '../../../telemetry/log.ts';

/** Beyond so many reasons at a time, one more helps nobody. */
const maxReasons = 20;
const maxPieces = 10_000;

/** Says what cannot be read from GitHub, and that it can be again: once for each reason. */
export class Troubles {
  private readonly log: Logger;
  private readonly piecesOf = new Map<string, Set<string>>();
  private readonly reasonOf = new Map<string, string>();

  constructor(log: Logger) {
    this.log = log;
  }

  /** `piece`: what was to be read; `reason`: what makes failures the same, if that is not the message. */
  failed(piece: string, error: ScalerError, reason = error.message): void {
    if (this.reasonOf.get(piece) === reason) return;
    this.over(piece);
    const known = this.piecesOf.get(reason);
    if ((!known && this.piecesOf.size >= maxReasons) || this.reasonOf.size >= maxPieces) return;
    this.reasonOf.set(piece, reason);
    if (known) {
      known.add(piece);
      return;
    }
    this.piecesOf.set(reason, new Set([piece]));
    const fields = { reading: piece, code: error.code, error: error.message };
    this.log.warn(fields, 'cannot reconcile with GitHub; said once for all it is true of');
  }

  /** The piece was read, or is not read any more. */
  over(piece: string): void {
    const reason = this.reasonOf.get(piece);
    if (reason === undefined) return;
    this.reasonOf.delete(piece);
    const pieces = this.piecesOf.get(reason);
    pieces?.delete(piece);
    if (pieces?.size !== 0) return;
    this.piecesOf.delete(reason);
    this.log.info({ error: reason }, 'reconciling with GitHub goes on: this is over');
  }
}
