import { z } from 'zod';
import { fromJson, ScalerError } from '../errors.ts';
import { send, Unanswered } from '../outbound/send.ts';
import { quote } from '../printable.ts';

/** A trigger as a running scaler's `/api/triggers` shows it. */
export type RunningTrigger = z.infer<typeof runningTrigger>;

const number = z.number().optional();
const runningTrigger = z.object({
  namespace: z.string(),
  name: z.string(),
  source: z.string().optional(),
  metricName: z.string().optional(),
  up: z.boolean(),
  active: z.boolean().optional(),
  ageSeconds: number,
  items: number,
  target: number,
  value: number,
  desired: number,
  oldestItemAgeSeconds: number,
  oldestItemAgeAtLeast: z.boolean().optional(),
  surge: z.string().optional(),
  error: z.string().optional(),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});
const page = z.object({ triggers: z.array(runningTrigger), nextCursor: z.string().optional() });

const timeoutMs = 10_000;
const pageSize = 200;
const maxPageBytes = 4 * 1024 * 1024;
const maxPages = 1_000;

/** Reads the triggers of a running scaler by its admin port. */
export class RunningTriggers {
  private readonly url: URL;
  private readonly token: string | undefined;

  /** `admin`: `http://127.0.0.1:8080`. Throws ScalerError where it is no address of an admin port. */
  constructor(admin: string, token: string | undefined) {
    if (!/^https?:\/\//i.test(admin) || !URL.canParse(admin)) {
      throw new ScalerError('invalid', `--admin must be http://HOST:PORT, got ${quote(admin)}`);
    }
    this.url = new URL('/api/triggers', admin);
    this.token = token;
  }

  /** All triggers of the ScaledObject or ScaledJob. Rejects with ScalerError. */
  async of(namespace: string, name: string): Promise<readonly RunningTrigger[]> {
    const found: RunningTrigger[] = [];
    let cursor: string | undefined;
    for (let pages = 0; pages < maxPages; pages += 1) {
      const { triggers, nextCursor } = await this.page(namespace, cursor);
      found.push(...triggers.filter((one) => one.namespace === namespace && one.name === name));
      // They come in the order of their names.
      const isPast = (triggers.at(-1)?.name ?? '') > name;
      if (nextCursor === undefined || isPast) break;
      cursor = nextCursor;
    }
    return found;
  }

  private async page(namespace: string, cursor: string | undefined): Promise<z.infer<typeof page>> {
    const url = new URL(this.url);
    url.searchParams.set('namespace', namespace);
    url.searchParams.set('limit', String(pageSize));
    if (cursor !== undefined) url.searchParams.set('cursor', cursor);
    const headers = this.token === undefined ? {} : { authorization: `Bearer ${this.token}` };
    const answer = await send(url, { headers, timeoutMs, maxBytes: maxPageBytes }).catch(
      (reason: unknown) => {
        const why = reason instanceof Unanswered ? reason.message : ScalerError.from(reason).message;
        throw this.wrong(`${why}; is it the admin port (8080 by default) of a running scaler?`);
      },
    );
    if (answer.status === 401)
      throw this.wrong(`asks for ${this.token === undefined ? 'a' : 'another'} token: --admin-token-file`);
    if (answer.status !== 200)
      throw this.wrong(`answers ${answer.status}, as no admin port of a scaler does`);
    const read = page.safeParse(fromJson(answer.text));
    if (!read.success) throw this.wrong('answers something else than the triggers of a scaler');
    return read.data;
  }

  private wrong(what: string): ScalerError {
    return new ScalerError('unavailable', `--admin ${this.url.origin}: ${what}`);
  }
}
