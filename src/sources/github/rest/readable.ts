import { z } from 'zod';
import type { Logger } from '../../../telemetry/log.ts';

/** A list whose members are read one by one: what cannot be read is left out, and said once. */
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
        log.warn({ what, fault }, 'GitHub lists what we cannot read: it is left out, this is said once');
      }
    }
    return readable;
  });
}
