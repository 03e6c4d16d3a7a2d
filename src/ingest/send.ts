import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import type { Answer } from './answer.ts';

/**
 * Sends an answer. Who was taken may go on with the connection; who was refused has it closed, so that nobody
 * holds one open at no cost. Where the rest of its body is still coming, a moment later: bytes that nobody
 * reads turn a close into a reset, which can overtake the answer (RFC 9112 §9.6).
 */
export function send(reply: FastifyReply, answer: Answer, lingerMs: number): FastifyReply {
  const text = JSON.stringify(answer.body);
  reply.code(answer.status).type('application/json; charset=utf-8');
  if (answer.headers !== undefined) reply.headers(answer.headers);
  if (answer.retryAfterSeconds !== undefined) reply.header('retry-after', answer.retryAfterSeconds);
  if (answer.status < 400) return reply.send(text);
  reply.header('connection', 'close').header('content-length', Buffer.byteLength(text));
  return reply.send(reply.request.raw.complete ? text : Readable.from(lingering(text, lingerMs)));
}

async function* lingering(text: string, ms: number): AsyncGenerator<string> {
  yield text;
  await setTimeout(ms, undefined, { ref: false });
}
