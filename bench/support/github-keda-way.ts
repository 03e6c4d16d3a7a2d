/*
 * The requests of KEDA's built-in `github-runner` trigger (pkg/scalers/github_runner_scaler.go, v2.21). For each
 * evaluation it lists the owner's repositories (30 a page, until one is not full). Then it reads two lists of runs for
 * each repository, and the jobs of each run found. All of this happens one after the other, and for each ScaledObject.
 */

const reposAPage = 30;
const runStates = ['queued', 'in_progress'] as const;

export interface KedaWayOptions {
  readonly apiUrl: string;
  readonly owner: string;
  readonly token: string;
  /** KEDA's `enableEtags`, off by default. */
  readonly enableEtags: boolean;
}

/** The state that KEDA keeps for a ScaledObject. */
export class GitHubKedaWay {
  private readonly options: KedaWayOptions;
  private readonly etags = new Map<string, string>();
  private readonly bodies = new Map<string, unknown>();
  private repositories: readonly string[] = [];

  constructor(options: KedaWayOptions) {
    this.options = options;
  }

  /** One evaluation. Resolves with the number of jobs found. */
  async evaluate(): Promise<number> {
    this.repositories = await this.listRepositories();
    const found: { repo: string; runId: number }[] = [];
    for (const repo of this.repositories) {
      for (const state of runStates) {
        const { body } = await this.get(`/repos/${repo}/actions/runs?status=${state}&per_page=100`);
        for (const { id } of items(body, 'workflow_runs')) found.push({ repo, runId: Number(id) });
      }
    }
    let jobs = 0;
    for (const { repo, runId } of found) {
      const { body } = await this.get(`/repos/${repo}/actions/runs/${runId}/jobs?per_page=100`);
      jobs += items(body, 'jobs').length;
    }
    return jobs;
  }

  private async listRepositories(): Promise<readonly string[]> {
    const names: string[] = [];
    for (let page = 1; ; page++) {
      const { body, changed } = await this.get(`/orgs/${this.options.owner}/repos?page=${page}`);
      // If any page is unchanged, KEDA takes all of them as unchanged.
      if (!changed) return this.repositories;
      const listed = items(body);
      for (const repo of listed) names.push(String(repo['full_name']));
      if (listed.length < reposAPage) return names;
    }
  }

  private async get(path: string): Promise<{ body: unknown; changed: boolean }> {
    const { apiUrl, token, enableEtags } = this.options;
    const etag = this.etags.get(path);
    const response = await fetch(`${apiUrl}${path}`, {
      headers: {
        accept: 'application/vnd.github.v3+json',
        'x-github-api-version': '2022-11-28',
        authorization: `Bearer ${token}`,
        ...(etag === undefined ? {} : { 'if-none-match': etag }),
      },
    });
    if (response.status === 304) return { body: this.bodies.get(path), changed: false };
    const body: unknown = await response.json();
    if (!response.ok) throw new Error(`${path} answers ${response.status}: ${JSON.stringify(body)}`);
    const newer = response.headers.get('etag');
    if (enableEtags && newer !== null) {
      this.etags.set(path, newer);
      this.bodies.set(path, body);
    }
    return { body, changed: true };
  }
}

/** The objects of a list, or of the list under `key` in an object. */
function items(body: unknown, key?: string): Record<string, unknown>[] {
  const list: unknown = key === undefined ? body : isObject(body) ? body[key] : undefined;
  if (!Array.isArray(list)) throw new Error('GitHub answered something else than a list');
  return list.filter(isObject);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
