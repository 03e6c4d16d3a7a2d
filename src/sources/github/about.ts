import type { About } from '../source.ts';

export const githubAbout: About = {
  measures: 'GitHub Actions jobs that wait for a runner or run on one',
  leastStaleness: '[by its repositories](github.md#what-it-costs-github)',
  hint: 'the repository, `owner/name`; jobs themselves come by webhook',
  reaches: 'HTTPS to api.github.com, or to its apiUrl',
  afterRestart:
    'the first sync; with `eventLog: { type: file }` or `nats` also the webhooks of before ([more](github.md#when-something-is-lost-or-down))',
  oldest: {
    since: 'its `created_at`; a job that had to be approved, from the webhook that called it queued',
    tooSmallBy: "the difference between GitHub's clock and ours; the delay of that webhook",
  },
  jobs: {
    default: '`count: queued+running`, the default',
    accurate: '`count: queued`, and [a readiness probe](github.md#runners-as-jobs)',
  },
};
