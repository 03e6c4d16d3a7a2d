import { ScalerError } from '../../../errors.ts';

export function isNotFound(reason: unknown): boolean {
  return reason instanceof ScalerError && reason.code === 'not_found';
}
