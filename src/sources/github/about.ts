import type { About } from '../source.ts';

export const githubAbout: About = {
  measures: 'the jobs of GitHub Actions that wait for a runner, or run on one',
  leastStaleness: '[by its repositories](github.md#what-is-asked-of-github)',
  hint: 'the repository, `owner/name`. A hint is no job: jobs come by webhook',
  reaches: 'HTTPS of api.github.com, or of its apiUrl',
  afterRestart:
    'the first sync; with `eventLog: { type: file }` also what webhooks told ([more](github.md#when-something-is-lost-or-down))',
  oldest: {
    since:
      'its `created_at`, in webhooks and REST; of a job that had to be let through (an environment, an approval), the webhook that called it queued',
    tooSmallBy: "what GitHub's clock and ours differ by; the way of that webhook",
  },
  jobs: {
    default: '`count: queued+running`, the default',
    accurate: '`count: queued`, and a readiness probe',
  },
};
