import type { z } from 'zod';
import { type About, unreadable } from './errors.ts';

/** What an answer holds. Throws ScalerError `unavailable` where it is not what was asked for. */
export function readJson<T>(text: string, schema: z.ZodType<T>, about: About, host: string): T {
  const parsed = schema.safeParse(json(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  throw unreadable(
    about,
    host,
    `${text === '' ? 'it is empty' : 'it is not what the REST API documents'}${where}`,
  );
}

/**
 * An `id` beyond 2^53, which a number cannot hold (octokit/request.js#797: deliveries since 2026), is kept as text.
 * The pattern cannot match within a text: there its quotes would be escaped.
 */
function json(text: string): unknown {
  try {
    return JSON.parse(text.replace(/"id"\s*:\s*(\d{16,})/g, '"id":"$1"'));
  } catch {
    return undefined;
  }
}
