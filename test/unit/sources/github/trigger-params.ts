import { givenValues, type Metadata, parseParams } from '../../../../src/params/parse.ts';
import { type GitHubParams, githubParams } from '../../../../src/sources/github/params.ts';

/** The parameters of a trigger with this metadata. Throws its faults. */
export function paramsOf(metadata: Metadata = {}): GitHubParams {
  const { params, faults } = parseParams(githubParams, givenValues(metadata));
  if (faults.length > 0) throw new Error(faults.join('; '));
  return params;
}

export function faultsOf(metadata: Metadata): string[] {
  return parseParams(githubParams, givenValues(metadata)).faults;
}
