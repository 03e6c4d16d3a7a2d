import { z } from 'zod';

/*
 * What we read of GitHub's answers (docs.github.com/rest, version 2022-11-28). What is not named is not kept.
 */

const id = z.int().positive();
/** ISO text → ms since 1970; what is no time is none. */
const time = z
  .string()
  .nullish()
  .catch(undefined)
  .transform((text) => {
    const atMs = Date.parse(text ?? '');
    return Number.isNaN(atMs) ? undefined : atMs;
  });
const attempt = z.int().positive().catch(1);

export const installationAnswer = z.object({ id });

export const tokenAnswer = z.object({
  token: z.string().min(1),
  expires_at: z.string().transform((text) => Date.parse(text) || 0),
});

export const runShape = z.object({
  id,
  status: z.string().nullish(),
  run_attempt: attempt,
  created_at: time,
});
export type RunShape = z.infer<typeof runShape>;

export const jobShape = z.object({
  id,
  run_id: id,
  run_attempt: attempt,
  status: z.enum(['queued', 'in_progress', 'completed', 'waiting', 'requested', 'pending']),
  labels: z.array(z.unknown()).nullish(),
  created_at: time,
  started_at: time,
  completed_at: time,
});
export type JobShape = z.infer<typeof jobShape>;

export const repositoryShape = z.object({
  full_name: z.string().regex(/^[^/\s]+\/[^/\s]+$/),
  archived: z.boolean().nullish(),
  disabled: z.boolean().nullish(),
});
export type RepositoryShape = z.infer<typeof repositoryShape>;

export const deliveryShape = z.object({
  // See readJson: text where it is long.
  id: z.union([id.transform(String), z.string().regex(/^\d+$/)]),
  guid: z.string().min(1),
  delivered_at: time,
  event: z.string(),
  /** 0, or nothing, where the receiver did not answer. */
  status_code: z.int().catch(0),
  installation_id: z.int().nullish().catch(undefined),
});
export type DeliveryShape = z.infer<typeof deliveryShape>;
