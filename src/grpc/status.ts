import { status as Code } from '@grpc/grpc-js';
import { type ErrorCode, ScalerError } from '../errors.ts';
import { printable } from '../printable.ts';

/** How an RPC ends: what grpc-js takes as an error. */
export interface Status {
  code: Code;
  details: string;
}

/** The only place that knows which gRPC code a fault has. */
const codes: Readonly<Record<ErrorCode, Code>> = {
  invalid: Code.INVALID_ARGUMENT,
  denied: Code.PERMISSION_DENIED,
  not_found: Code.NOT_FOUND,
  unavailable: Code.UNAVAILABLE,
  exhausted: Code.RESOURCE_EXHAUSTED,
  internal: Code.INTERNAL,
};

/**
 * The most bytes a message takes on the wire. It travels percent-encoded in an HTTP/2 header, and clients may
 * refuse headers of more than 8 KiB (gRPC's default limit).
 */
const maxEncodedBytes = 4096;
const cut = '…';

/** Total: any reason becomes a status. A fault of ours shows no details. */
export function toStatus(reason: unknown): Status {
  const error = ScalerError.from(reason);
  if (error.code === 'internal') {
    return { code: Code.INTERNAL, details: 'a fault of the scaler; its log says more' };
  }
  return { code: codes[error.code], details: fitForHeader(error.message) };
}

/** `NOT_FOUND` for 5: how metrics label a code. */
export function codeName(code: Code): string {
  return Code[code];
}

/**
 * One line without control characters, well-formed (grpc-js encodes it with encodeURI, which throws on a lone
 * surrogate), and short enough for a header.
 */
export function fitForHeader(message: string): string {
  const line = printable(
    message
      .replace(/\p{Cs}/gu, '\u{fffd}')
      .replace(/\p{Cc}+/gu, ' ')
      .trim(),
  );
  // A character takes at least one byte: nothing beyond this can be left.
  const start = line.slice(0, maxEncodedBytes).replace(/\p{Cs}$/u, '');
  if (start === line && encodedBytes(line) <= maxEncodedBytes) return line;
  let left = maxEncodedBytes - encodedBytes(cut);
  let kept = '';
  for (const character of start) {
    left -= encodedBytes(character);
    if (left < 0) break;
    kept += character;
  }
  return kept + cut;
}

function encodedBytes(text: string): number {
  return encodeURI(text).length;
}
