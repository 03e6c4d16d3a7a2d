import { bearerOf } from '../bearer.ts';
import { type Answer, refusal } from './answer.ts';
import type { Head } from './kind.ts';
import type { Senders } from './senders.ts';

/**
 * The answer to a request that must show a bearer token for its connection, and does not; undefined: it does.
 * A token only comes in the header: in a URL it would end up in the logs of every proxy (RFC 6750 §5.3).
 */
export function refuseBearer(
  { headers, connection }: Head,
  { tokens, connections }: Senders,
): Answer | undefined {
  const bearer = tokens.bearer(headers.authorization);
  if (bearer === undefined) return unauthorized(headers.authorization);
  if (connection === undefined || !connections.has(connection)) {
    return refusal(404, 'unknown_connection', 'there is no connection of this name');
  }
  if (!bearer.connections.has(connection)) {
    return refusal(
      403,
      'foreign',
      'the token is not for this connection: ingest.tokens lists those it is for',
    );
  }
  return undefined;
}

/** RFC 6750 §3: what is asked for, and with a token that it was no good. */
function unauthorized(authorization: string | undefined): Answer {
  if (bearerOf(authorization) === undefined) {
    const headers = { 'www-authenticate': 'Bearer' };
    return refusal(401, 'unsigned', 'needs the header "Authorization: Bearer <token>"', { headers });
  }
  const headers = { 'www-authenticate': 'Bearer error="invalid_token"' };
  return refusal(401, 'refused', 'the token is none of ingest.tokens', { headers });
}
