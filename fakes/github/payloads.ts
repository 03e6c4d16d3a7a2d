import type { Happening } from './happening.ts';
import { account, enterprise, organization, sender } from './shapes/account.ts';
import { deployment } from './shapes/deployment.ts';
import { jobShape } from './shapes/job.ts';
import { repository } from './shapes/repository.ts';
import { runShape } from './shapes/run.ts';
import type { Urls } from './shapes/urls.ts';
import { workflowShape } from './shapes/workflow.ts';

export interface PayloadSetting {
  readonly urls: Urls;
  readonly enterprise: string | undefined;
  /** Only a hook of an App names the installation, not one of an organization or repository. */
  readonly ofApp: boolean;
}

/** The body of a webhook. The same happening always gives the same body, so a redelivery is a true copy. */
export function payload(happening: Happening, setting: PayloadSetting): object {
  return {
    action: happening.action,
    ...subject(happening, setting.urls),
    ...surroundings(happening, setting),
  };
}

function subject(happening: Happening, urls: Urls): object {
  if (happening.event === 'workflow_run') {
    const { run, view, repo } = happening;
    return { workflow_run: runShape(run, view, urls), workflow: workflowShape(repo, urls) };
  }
  const { job, state } = happening;
  return {
    workflow_job: jobShape(job, state, urls),
    ...(happening.deployment ? { deployment: deployment(job, urls) } : {}),
  };
}

function surroundings({ repo }: Happening, { urls, enterprise: slug, ofApp }: PayloadSetting): object {
  const { owner } = repo;
  const { installationId } = owner;
  return {
    repository: repository(repo, urls),
    ...(owner.type === 'Organization' ? { organization: organization(owner, urls) } : {}),
    ...(slug === undefined ? {} : { enterprise: enterprise(slug, urls) }),
    sender: account(sender, urls),
    ...(ofApp && installationId !== undefined
      ? { installation: { id: installationId, node_id: `MDIzOk${installationId}` } }
      : {}),
  };
}

/** The first delivery of a new hook. */
export function ping(hook: { id: number; url: string; events: readonly string[] }, urls: Urls): object {
  return {
    zen: 'Design for failure.',
    hook_id: hook.id,
    hook: {
      type: 'Organization',
      id: hook.id,
      name: 'web',
      active: true,
      events: hook.events,
      config: { content_type: 'json', insecure_ssl: '0', secret: '********', url: hook.url },
      updated_at: '2026-01-01T00:00:00Z',
      created_at: '2026-01-01T00:00:00Z',
      url: `${urls.api}/hooks/${hook.id}`,
      ping_url: `${urls.api}/hooks/${hook.id}/pings`,
      deliveries_url: `${urls.api}/hooks/${hook.id}/deliveries`,
    },
    sender: account(sender, urls),
  };
}
