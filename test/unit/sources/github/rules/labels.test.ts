import { describe, expect, it } from 'vitest';
import { matches, runnerOf } from '../../../../../src/sources/github/rules/backlog.ts';
import { canonicalLabels } from '../../../../../src/sources/github/rules/job.ts';
import { paramsOf } from '../trigger-params.ts';

const none = {};
const gpu = { labels: 'gpu,Big' };
const scaleSet = { labels: 'pool-1', noDefaultLabels: 'true' };
const windows = { labels: 'gpu', defaultLabels: 'self-hosted,Windows,X64' };
const bare = { noDefaultLabels: 'true' };
const strict = { matchUnlabeledJobsWithUnlabeledRunners: 'true' };
const strictGpu = { ...strict, ...gpu };
const strictBare = { ...strict, ...bare };

/** The labels in `runs-on`, the trigger, and whether its runners take the job. */
const matrix: [string[], Record<string, string>, boolean][] = [
  // A runner takes a job if it has each of its labels.
  [['self-hosted'], none, true],
  [['self-hosted', 'linux', 'x64'], none, true],
  [['self-hosted', 'gpu'], none, false],
  [['gpu'], gpu, true],
  [['gpu', 'big'], gpu, true],
  [['self-hosted', 'linux', 'gpu'], gpu, true],
  [['gpu', 'arm64'], gpu, false],
  [['ubuntu-latest'], gpu, false],
  // In any case, with spaces around it.
  [['Self-Hosted', 'LINUX'], none, true],
  [[' GPU ', 'bIG'], gpu, true],
  [['gpu', 'GPU', 'gpu'], gpu, true],
  // Default labels of another system, or none.
  [['self-hosted', 'linux', 'gpu'], windows, false],
  [['self-hosted', 'WINDOWS', 'gpu'], windows, true],
  [['self-hosted', 'arm64'], { defaultLabels: 'self-hosted,linux,ARM64' }, true],
  [['pool-1'], scaleSet, true],
  [['self-hosted', 'pool-1'], scaleSet, false],
  [['self-hosted'], bare, false],
  // Jobs without labels: every runner, as in KEDA …
  [[], none, true],
  [[], gpu, true],
  [[], bare, true],
  // … or only runners without labels of their own. Default labels do not count as such.
  [[], strict, true],
  [[], strictGpu, false],
  [[], strictBare, true],
  // The rule is only about jobs without labels.
  [['gpu'], strictGpu, true],
  [['self-hosted'], strict, true],
];

describe('labels', () => {
  it.each(matrix)('39 runs-on %j, runners of %j: takes it: %s', (runsOn, metadata, taken) => {
    expect(matches(canonicalLabels(runsOn), runnerOf(paramsOf(metadata)))).toBe(taken);
  });

  it('of a trigger are worked out once', () => {
    const params = paramsOf(gpu);
    expect(runnerOf(params)).toBe(runnerOf(params));
    expect(runnerOf(paramsOf(gpu))).not.toBe(runnerOf(params));
  });
});
