import type { IncomingHttpHeaders } from 'node:http';
import type { Answer } from '../answer.ts';

/**
 * The answer to a sender that asks before it sends (CloudEvents HTTP web hooks 1.0 §4). It asks without a token
 * and is told the same for every path, so that nobody learns from it which connections there are: it may send
 * from any origin at any rate, and its token decides. `WebHook-Request-Callback` is not called: this port talks
 * to nobody, and the answer already is the permission.
 */
export function handshakeOf(headers: IncomingHttpHeaders): Answer {
  const asked = headers['webhook-request-origin'] !== undefined;
  return {
    status: 200,
    outcome: 'ping',
    body: { accepted: asked ? 'may send, with a token; no callback is called' : 'takes POST' },
    headers: {
      allow: 'POST, OPTIONS',
      ...(asked ? { 'webhook-allowed-origin': '*', 'webhook-allowed-rate': '*' } : {}),
    },
  };
}
