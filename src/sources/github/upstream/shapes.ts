import { z } from 'zod';
import type { Logger } from '../../../telemetry/log.ts';

/*
 * The parts of GitHub's answers that we read (docs.github.com/rest, version 2022-11-28). Other fields are dropped.
 */

export const id = z.int().positive();
/** ISO text → ms since 1970. Undefined if it is not a time. */
export const time = z
  .string()
  .nullish()
  .catch(undefined)
  .transform((text) => {
    const atMs = Date.parse(text ?? '');
    return Number.isNaN(atMs) ? undefined : atMs;
  });
export const attempt = z.int().positive().catch(1);
/** The length of the whole list. */
export const total = z.int().nonnegative().optional().catch(undefined);

/** A repository: its ID, and `owner/name` in lower case. */
export const repositoryShape = z
  .object({
    id,
    full_name: z.string().regex(/^[^/\s]+\/[^/\s]+$/),
    archived: z.boolean().nullish(),
    disabled: z.boolean().nullish(),
  })
  .transform(({ id, full_name: fullName, archived, disabled }) => ({
    id,
    name: fullName.toLowerCase(),
    canRun: archived !== true && disabled !== true,
  }));

/** A list whose members are parsed one by one. Unreadable ones are ignored, and logged once. */
export function listOf<T>(member: z.ZodType<T>, what: string, log: Logger): z.ZodType<T[]> {
  let told = false;
  return z.array(z.unknown()).transform((members) => {
    const readable: T[] = [];
    for (const one of members) {
      const parsed = member.safeParse(one);
      if (parsed.success) readable.push(parsed.data);
      else if (!told) {
        told = true;
        const fault = parsed.error.issues[0]?.path.join('.');
        log.warn({ what, fault }, 'GitHub lists something unreadable: it is ignored, and logged once');
      }
    }
    return readable;
  });
}
