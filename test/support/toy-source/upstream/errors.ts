import { ScalerError } from '../../../../src/errors.ts';

/** The file system's error in words for the author of the trigger. */
export function fromFs(reason: unknown, file: string): ScalerError {
  const code = reason instanceof Error && 'code' in reason ? reason.code : undefined;
  if (code === 'ENOENT')
    return new ScalerError('not_found', `the file ${file} is not in the directory of the connection`, {
      cause: reason,
    });
  return new ScalerError('unavailable', `the file ${file} cannot be read (${String(code)})`, {
    cause: reason,
  });
}
