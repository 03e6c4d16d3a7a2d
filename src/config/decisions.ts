import { z } from 'zod';
import type { Faults } from './faults.ts';

const whole = (least: number, fallback: number, doc: string) =>
  z.number().int().min(least).default(fallback).describe(doc);

export const decisions = z
  .strictObject({
    sink: z
      .string()
      .refine(
        (text) => sinkUrl(text) !== undefined,
        'must be an https:// or http:// address without user and password (use token)',
      )
      .optional()
      .describe(
        'The address that each decision is posted to, as a CloudEvent in batches; none when left out. `http://` only where nothing secret is sent: without `token` and without a query, or with security.allowPlaintextSecrets.',
      ),
    token: z
      .string()
      .regex(/^[\x21-\x7e]+$/, 'must be letters, digits and signs without spaces: it is sent in a header')
      .optional()
      .describe('The bearer token that it asks for.'),
    maxQueued: whole(
      1,
      10_000,
      'How many decisions wait for a sink that is slow or down; then the oldest are dropped, and counted.',
    ),
    batchSize: z.number().int().min(1).max(1000).default(100).describe('The most decisions in one request.'),
    flushMs: whole(1, 1000, 'How long a decision waits for others to go in one request with it.'),
    timeoutMs: whole(1, 10_000, 'How long the sink has for its answer; then the request is tried again.'),
  })
  .refine(({ sink, token }) => token === undefined || sink !== undefined, {
    path: ['token'],
    message: 'needs sink',
  })
  .refine(({ batchSize, maxQueued }) => batchSize <= maxQueued, {
    path: ['maxQueued'],
    message: 'must be at least batchSize',
  });

function sinkUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined;
  return url.username === '' && url.password === '' ? url : undefined;
}

/** A token, and whatever a query holds, is only sent without TLS where that is asked for. */
export function checkSink(
  { sink, token }: z.infer<typeof decisions>,
  { allowPlaintextSecrets }: { allowPlaintextSecrets: boolean },
  faults: Faults,
): void {
  const url = sink === undefined ? undefined : sinkUrl(sink);
  if (allowPlaintextSecrets || url?.protocol !== 'http:') return;
  if (token === undefined && url.search === '') return;
  faults.add(
    ['decisions', 'sink'],
    'would send its token or query without TLS: use https://, or set security.allowPlaintextSecrets',
  );
}
