import { z } from 'zod';
import type { GitHubFact } from './fact.ts';
import { statuses } from './job.ts';

/*
 * A fact as it comes out of the event log, which may outlive the version of the scaler that wrote it.
 */

const id = z.int().min(1);
const common = { repo: z.string(), runId: id, runAttempt: id, installationId: id.optional() };

const stored = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('job'),
    jobId: id,
    labels: z.array(z.string()),
    status: z.enum(statuses),
    sinceMs: z.number().optional(),
    gated: z.boolean(),
    ...common,
  }),
  z.object({ kind: z.literal('run'), status: z.enum(['requested', 'in_progress', 'completed']), ...common }),
]);

export function isFact(value: unknown): value is GitHubFact {
  return stored.safeParse(value).success;
}
