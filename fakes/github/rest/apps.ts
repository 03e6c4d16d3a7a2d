import { installation } from '../shapes/installation.ts';
import { timestamp } from '../shapes/urls.ts';
import type { Owner } from '../world/owner.ts';
import { type Answer, notFound, ok, refusal } from './answer.ts';
import type { RestRequest, Route } from './request.ts';

export const appRoutes: readonly Route[] = [
  { method: 'GET', template: '/orgs/{org}/installation', by: 'app', answer: onOrganization },
  { method: 'GET', template: '/users/{username}/installation', by: 'app', answer: onUser },
  { method: 'GET', template: '/app/installations/{installation_id}', by: 'app', answer: oneInstallation },
  {
    method: 'POST',
    template: '/app/installations/{installation_id}/access_tokens',
    by: 'app',
    answer: accessToken,
  },
  { method: 'GET', template: '/rate_limit', by: 'anybody', answer: rateLimit },
];

function onOrganization(request: RestRequest): Answer {
  const owner = request.world.ownerOf(request.params['org'] ?? '');
  return owner?.type === 'Organization' ? installed(request, owner) : notFound;
}

/** GitHub also answers this path for organizations. */
function onUser(request: RestRequest): Answer {
  const owner = request.world.ownerOf(request.params['username'] ?? '');
  return owner === undefined ? notFound : installed(request, owner);
}

function oneInstallation(request: RestRequest): Answer {
  const owner = request.world.installation(Number(request.params['installation_id']));
  return owner === undefined ? notFound : installed(request, owner);
}

function installed({ appAuth, urls }: RestRequest, owner: Owner): Answer {
  if (appAuth === undefined || owner.installationId === undefined) return notFound;
  return ok(installation(owner, owner.installationId, appAuth.app.id, urls));
}

function accessToken({ appAuth, world, params }: RestRequest): Answer {
  const installationId = Number(params['installation_id']);
  const owner = world.installation(installationId);
  if (appAuth === undefined || owner === undefined) return notFound;
  const { token, expiresAtMs } = appAuth.issue(installationId, world.now());
  const body = {
    token,
    expires_at: timestamp(expiresAtMs),
    permissions: owner.permissions,
    repository_selection: 'all',
  };
  return { statusCode: 201, body };
}

function rateLimit({ limits, caller }: RestRequest): Answer {
  if (!limits.enabled) return refusal(404, 'Rate limiting is not enabled.');
  const core = limits.overview(caller);
  const search = { limit: 30, remaining: 30, reset: core.reset, used: 0 };
  return ok({ resources: { core, search }, rate: core });
}
