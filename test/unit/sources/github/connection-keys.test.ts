import { describe, expect, it } from 'vitest';
import { githubConfig } from '../../../../src/sources/github/config.ts';
import { github } from '../../../../src/sources/github/index.ts';
import { byName, connectionOf, referenceOf, resolvingIn } from '../../../support/live-triggers.ts';

const token = 'ghp_x';
const apiUrl = 'https://github.acme.example/api/v3';

/** Four owners. `acme` exists on GitHub and on a server of its own. */
const configs = {
  acme: { owner: 'Acme', token },
  'acme-server': { owner: 'acme', token, apiUrl },
  jo: { owner: 'jo', token, scope: 'repo' },
  holding: { owner: 'holding', token, scope: 'ent', repos: ['acme/web'] },
};

const resolve = resolvingIn(
  [github],
  byName(
    Object.entries(configs).map(([name, config]) => connectionOf(name, github, githubConfig.parse(config))),
  ),
);

const trigger = (metadata: Record<string, string>) => resolve(referenceOf({ source: 'github', ...metadata }));

const onServer = { connection: 'acme-server' };

describe('a github trigger', () => {
  it.each([
    [{ owner: 'jo' }, 'jo'],
    [{ owner: 'JO' }, 'jo'],
    [{ ownerFromEnv: 'jo' }, 'jo'],
    [{ owner: 'acme', githubApiURL: 'https://api.github.com' }, 'acme'],
    [{ owner: 'acme', githubApiURL: 'https://GitHub.acme.example/api/v3/' }, 'acme-server'],
    [{ connection: 'acme' }, 'acme'],
    [{ connection: 'holding', repos: 'acme/web' }, 'holding'],
  ])('of %j goes to connection %s', (metadata, name) => {
    expect(trigger(metadata).connection.name).toBe(name);
  });

  it('keeps every key of KEDA’s own trigger', () => {
    const metadata = {
      scalerAddress: 'scaler:6000',
      githubApiURL: apiUrl,
      owner: 'acme',
      runnerScope: 'org',
      repos: 'web,api',
      labels: 'gpu',
      noDefaultLabels: 'false',
      enableEtags: 'true',
      matchUnlabeledJobsWithUnlabeledRunners: 'true',
      targetWorkflowQueueLength: '2',
      applicationID: '1',
      installationID: '2',
      personalAccessTokenFromEnv: 'ghp_y',
      appKeyFromEnv: 'key',
    };
    const { connection, target, maxStalenessMs, metricName } = trigger(metadata);
    expect(connection.name).toBe('acme-server');
    expect(target).toMatchObject({ perReplica: 2, activation: 0 });
    expect(maxStalenessMs).toBe(3_600_000);
    expect(metricName).toBe('github-acme-gpu');
  });

  it.each([
    ['org', {}, true],
    ['repo', {}, true],
    ['ent', {}, false],
    ['user', {}, false],
    ['Org', {}, false],
    ['repo', { connection: 'jo' }, true],
    ['org', { connection: 'jo' }, false],
    ['ent', { connection: 'holding' }, true],
  ])('with runnerScope %s of %j is accepted: %s', (runnerScope, metadata, taken) => {
    const parse = () => trigger({ ...onServer, ...metadata, runnerScope });
    if (taken) expect(parse).not.toThrow();
    else
      expect(parse).toThrow(/runnerScope: is not what connection "\w[\w-]*" has \((org|repo|ent)\); leave/);
  });

  it.each([
    [{ ...onServer, owner: 'jo' }, /owner: is not what connection "acme-server" has/],
    [{ ...onServer, githubApiURL: 'https://api.github.com' }, /githubApiURL: is not what/],
    [{ ...onServer, githubApiURL: 'nonsense' }, /githubApiURL: is not what/],
    [{ owner: 'labs' }, /no connection .* has owner "labs"; there are: acme, acme-server, jo, holding/],
    [{ owner: 'acme' }, /must be named, 2 fit owner "acme": acme, acme-server/],
    [{ ...onServer, enableBackoff: 'true' }, /"enableBackoff": unknown key/],
    [{ ...onServer, repos: 'web,Labs/web' }, /repos: "Labs\/web" does not belong to acme/],
    [{ connection: 'holding', repos: 'acme/web,api' }, /repos: must be owner\/name .* got "api"/],
  ])('%j is refused: %s', (metadata, fault) => {
    expect(() => trigger(metadata)).toThrow(fault);
    expect(() => trigger(metadata)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});

describe('an App’s numbers', () => {
  const { applicationID, installationID } = github.connectionKeys;
  const config = githubConfig.parse(configs.acme);
  const app = { id: 7, installationId: 9, privateKey: '' };
  const byClientId = { id: 'Iv23a', privateKey: '' };
  it.each([
    ['applicationID', '7', applicationID?.agrees?.({ ...config, app }, '7'), true],
    ['applicationID', '8', applicationID?.agrees?.({ ...config, app }, '8'), false],
    ['applicationID', '7\n', applicationID?.agrees?.({ ...config, app }, '7\n'), true],
    ['applicationID', 'Iv23a', applicationID?.agrees?.({ ...config, app }, 'Iv23a'), false],
    ['applicationID of a client id', '8', applicationID?.agrees?.({ ...config, app: byClientId }, '8'), true],
    ['applicationID of a token', '8', applicationID?.agrees?.(config, '8'), true],
    ['installationID', '9', installationID?.agrees?.({ ...config, app }, '9'), true],
    ['installationID', '8', installationID?.agrees?.({ ...config, app }, '8'), false],
    ['installationID of a token', '8', installationID?.agrees?.(config, '8'), true],
  ])('%s %s must equal the connection’s, if that has one', (_key, _value, agrees, expected) => {
    expect(agrees).toBe(expected);
  });
});
