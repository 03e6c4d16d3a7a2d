import { z } from 'zod';
import { required, text } from '../../src/params/schema.ts';
import { webhookHeaders } from '../../src/sources/github/rules/webhook.ts';
import type { InboundEvent } from '../../src/sources/inbound.ts';
import type { Source } from '../../src/sources/source.ts';
import { about } from './about.ts';

const config = z.strictObject({
  owner: z.string(),
  webhookSecret: z.string().min(1).optional(),
  webhookSecrets: z.array(z.string().min(1)).min(1).optional(),
});
type Config = z.output<typeof config>;

const payload = z.object({ action: z.enum(['queued', 'completed']), owner: z.string(), job: z.number() });
const fact = payload.omit({ owner: true });

/** Jobs opened and closed by events. Nothing heals them, so every number is known. */
export const ingestSource: Source<{ pool: string }, Config, number, undefined> = {
  kind: 'github',
  about,
  params: { table: { pool: required(text({ doc: 'A name for the trigger.' })) }, rules: [] },
  config,
  files: { webhookSecret: 'secret', webhookSecrets: 'secrets' },
  connectionKeys: {},
  webhooks: {
    headers: webhookHeaders,
    secrets: ({ webhookSecret, webhookSecrets = [] }) =>
      webhookSecret === undefined ? webhookSecrets : [webhookSecret],
    owns: ({ owner }, said) => payload.safeParse(said).data?.owner === owner,
    fact: (event, said) => (event === 'workflow_job' ? fact.safeParse(said).data : undefined),
  },
  place: ({ owner }) => ({ addresses: [owner] }),
  local: ['webhookSecret', 'webhookSecrets'],
  minReadMs: () => 0,
  connect(_, { events, wake, metrics }) {
    const open = new Set<number>();
    const unfollow = events.follow((event: InboundEvent) => {
      const { action, job } = fact.parse(event.fact);
      if (action === 'queued') open.add(job);
      else open.delete(job);
      metrics.rateLimitRemaining(5000 - open.size);
      wake('jobs', 'webhook');
    });
    return {
      subject: () => ({ key: 'jobs', hintNames: [], need: undefined }),
      async read(subjects, deliver) {
        for (const { key } of subjects) deliver(key, { snapshot: open.size });
      },
      close: async () => unfollow(),
    };
  },
  fold: () => undefined,
  evaluate: (_, { snapshot }) => ({
    kind: 'known',
    items: snapshot,
    active: snapshot > 0,
    detail: () => ({}),
  }),
  pace: () => ({ nextReadMs: 60_000, watch: false }),
  target: ({ pool }) => ({ perReplica: 1, activation: 0, nameParts: [pool] }),
};
