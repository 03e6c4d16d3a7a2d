import type { PageQuery } from './trigger-page.ts';
import { defaultPageSize, maxPageSize } from './trigger-page.ts';

const known = ['limit', 'cursor', 'namespace'];

/** `?limit=&cursor=&namespace=` of a paged list. */
export function parsePageQuery(query: unknown): PageQuery | { fault: string } {
  const given = new Map(Object.entries(query ?? {}));
  const unknown = [...given.keys()].find((key) => !known.includes(key));
  if (unknown !== undefined) return { fault: `unknown query parameter; known are ${known.join(', ')}` };
  const limit = given.get('limit') ?? String(defaultPageSize);
  const size = typeof limit === 'string' && /^\d{1,4}$/.test(limit) ? Number(limit) : 0;
  if (size < 1 || size > maxPageSize)
    return { fault: `limit must be a whole number from 1 to ${maxPageSize}` };
  const cursor = given.get('cursor');
  const namespace = given.get('namespace');
  if (Array.isArray(cursor) || Array.isArray(namespace))
    return { fault: 'each query parameter may be given once' };
  return {
    limit: size,
    ...(typeof cursor === 'string' ? { cursor } : {}),
    ...(typeof namespace === 'string' ? { namespace } : {}),
  };
}
