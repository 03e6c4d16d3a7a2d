import { quote } from '../../../printable.ts';
import type { Around } from '../../source.ts';
import type { GitHubConfig } from '../config.ts';
import type { GitHubParams } from '../params.ts';
import { canonicalLabels } from './job.ts';

/**
 * What the runners' containers say otherwise than the trigger, in the variables of `myoung34/github-runner`, which other
 * images have too: `LABELS`, by commas, and `ORG_NAME`. GitHub gives every runner on Linux its default labels.
 */
export function doubts(
  { labels, defaultLabels }: GitHubParams,
  { config, environments }: Around<GitHubConfig>,
): string[] {
  const own = (all: readonly string[]): string =>
    canonicalLabels(all)
      .filter((label) => !defaultLabels.includes(label))
      .join(',');
  const owner = config?.scope === 'ent' ? undefined : config?.owner;
  return environments.flatMap(({ LABELS: registered, ORG_NAME: organization }) => {
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
    return found;
  });
}

/** Of `$(NAME)` only the cluster knows the value. */
function isPlain(value: string | undefined): value is string {
  return value !== undefined && !value.includes('$');
}
