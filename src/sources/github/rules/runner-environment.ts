import { quote } from '../../../printable.ts';
import type { Around } from '../../source.ts';
import type { GitHubConfig } from '../config.ts';
import type { GitHubParams } from '../params.ts';
import { canonicalLabels } from './job.ts';
import { fullNames } from './repo-names.ts';

/**
 * What the runners' containers say otherwise than the trigger, in the variables of `myoung34/github-runner`, of which
 * other images have some too. GitHub gives every runner on Linux its default labels.
 */
export function doubts(
  params: GitHubParams,
  { config, environments, isJob }: Around<GitHubConfig>,
): string[] {
  const { labels, defaultLabels } = params;
  const own = (all: readonly string[]): string =>
    canonicalLabels(all)
      .filter((label) => !defaultLabels.includes(label))
      .join(',');
  const owner = config?.scope === 'ent' ? undefined : config?.owner;
  const counted = reachOf(params, config);
  return environments.flatMap(({ variables, isOpen }) => {
    const { LABELS: registered, ORG_NAME: organization, RUNNER_SCOPE: scope } = variables;
    const found: string[] = [];
    if (isPlain(registered) && own(registered.split(',')) !== own(labels)) {
      found.push(
        `labels: are ${quote(labels.join(','))}, and the runners register with LABELS ${quote(registered)}: jobs would start runners that cannot take them; make both equal`,
      );
    }
    if (isPlain(organization) && owner !== undefined && organization.toLowerCase() !== owner.toLowerCase()) {
      found.push(
        `connection: counts jobs of ${quote(owner)}, and the runners register with ORG_NAME ${quote(organization)}, so they get none of them`,
      );
    }
    if (
      isPlain(scope) &&
      counted !== undefined &&
      reaches.indexOf(registeredBy(scope)) < reaches.indexOf(counted)
    ) {
      found.push(
        `RUNNER_SCOPE: is ${quote(scope)}, and the trigger counts jobs outside it: ${config?.scope === 'repo' ? '' : `write ${counted}, or `}name in repos what the runners serve`,
      );
    }
    const ephemeral = isOpen || Object.hasOwn(variables, 'EPHEMERAL') ? variables['EPHEMERAL'] : '';
    if (isJob && scope !== undefined && /^(|0|no|false)$/i.test(ephemeral ?? '$')) {
      found.push('EPHEMERAL: is not "true", but the runner of a Job must end after one job: set it');
    }
    return found;
  });
}

/** Where a runner may get jobs from, and which jobs a trigger counts. Each contains the one before. */
const reaches = ['repo', 'org', 'ent'] as const;
type Reach = (typeof reaches)[number];

/** As entrypoint.sh of the image reads it. */
function registeredBy(scope: string): Reach {
  return reaches.find((reach) => scope.toLowerCase().startsWith(reach)) ?? 'repo';
}

function reachOf({ repos }: GitHubParams, config: Around<GitHubConfig>['config']): Reach | undefined {
  if (config?.owner === undefined) return undefined;
  const names = fullNames(config.owner, repos.length > 0 ? repos : (config.repos ?? []));
  if (names.length === 1) return 'repo';
  const owners = new Set(names.map((name) => name.split('/')[0]));
  return config.scope === 'ent' && owners.size !== 1 ? 'ent' : 'org';
}

/** Of `$(NAME)` only the cluster knows the value. */
function isPlain(value: string | undefined): value is string {
  return value !== undefined && !value.includes('$');
}
