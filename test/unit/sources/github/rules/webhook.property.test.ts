import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { githubConfig } from '../../../../../src/sources/github/config.ts';
import { isFact } from '../../../../../src/sources/github/rules/job.ts';
import { fact, owns } from '../../../../../src/sources/github/rules/webhook.ts';
import { examplesOf } from './examples.ts';

const config = githubConfig.parse({ owner: 'acme', token: 'x' });
const events = ['workflow_job', 'workflow_run'] as const;
const examples = events.flatMap((event) => examplesOf(event).map((payload) => ({ event, payload })));

/** The places in a payload that can get a value. */
const places = [
  ['action'],
  ['installation'],
  ['installation', 'id'],
  ['deployment'],
  ['repository'],
  ['repository', 'name'],
  ['repository', 'full_name'],
  ['repository', 'owner'],
  ['repository', 'owner', 'login'],
  ...[
    'id',
    'run_id',
    'run_attempt',
    'status',
    'labels',
    'created_at',
    'started_at',
    'completed_at',
    'conclusion',
  ].flatMap((key) => [
    ['workflow_job', key],
    ['workflow_run', key],
  ]),
  ['workflow_job'],
  ['workflow_run'],
];

function put(into: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const mapping: Record<string, unknown> = typeof into === 'object' && into !== null ? { ...into } : {};
  return { ...mapping, [key]: put(mapping[key], rest, value) };
}

/** Whatever was sent, the result is a fact of bounded size, or nothing. */
function check(event: string, payload: unknown): void {
  owns(config, payload);
  const found = fact(event, payload);
  if (found === undefined) return;
  expect(isFact(found)).toBe(true);
  expect(JSON.stringify(found).length).toBeLessThan(40_000);
}

describe('fact', () => {
  it('never throws, for any JSON', () => {
    fc.assert(fc.property(fc.constantFrom(...events), fc.jsonValue(), check));
  });

  it('never throws for a real payload with anything in any place', () => {
    const change = fc.tuple(fc.constantFrom(...places), fc.jsonValue());
    fc.assert(
      fc.property(
        fc.constantFrom(...examples),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        ({ event, payload }, changes) => {
          check(
            event,
            changes.reduce<unknown>((changed, [place, value]) => put(changed, place, value), payload),
          );
        },
      ),
      { numRuns: 1000 },
    );
  });
});
