import { describe, expect, it } from 'vitest';
import { Faults } from '../../../../src/config/document.ts';
import { validate } from '../../../../src/config/validate.ts';

import { conflict, eventsConfig } from '../../../../src/sources/events/config.ts';
import { target } from '../../../../src/sources/events/rules/backlog.ts';

const item = { backlog: 'builds', type: 'a', state: 'queued', key: 'subject' };
const good = { ttlSeconds: 60, items: [item] };

function faultsOf(input: unknown): readonly string[] {
  const faults = new Faults();
  validate(eventsConfig, input, { at: ['connections', 'b'], expanded: new Set() }, faults);
  return faults.list.map(({ text }) => text);
}

describe('the configuration', () => {
  it('needs only items and a TTL', () => {
    expect(faultsOf(good)).toEqual([]);
    expect(faultsOf({ ttlSeconds: 60, presets: [{ preset: 'codepipeline', backlog: 'a' }] })).toEqual([]);
  });

  const inItem = (more: object) => ({ ...good, items: [{ ...item, ...more }] });
  it.each([
    [
      { items: [item] },
      'ttlSeconds: is required: nothing else ends an item whose last event is lost; longer than any item may take',
    ],
    [{ ...good, ttlSeconds: 59 }, 'ttlSeconds: must be at least 60'],
    [{ ...good, ttlSeconds: '1h' }, 'ttlSeconds: must be a number'],
    [{ ttlSeconds: 60 }, 'items: is required, or presets: which events belong to which backlog'],
    [{ ttlSeconds: 60, items: [] }, 'items: is required, or presets: which events belong to which backlog'],
    [inItem({ state: 'done' }), 'items[0].state: must be one of queued, running, finished'],
    [inItem({ backlog: 'a b' }), 'items[0].backlog: must be letters, digits, ".", "_" and "-", at most 63'],
    [
      inItem({ key: 'type' }),
      'items[0].key: must be source, subject, id, or a JSON pointer into the data such as /pipelineRun/metadata/uid',
    ],
    [inItem({ key: [] }), 'items[0].key: must be at least 1 item long'],
    [
      inItem({ key: ['source', 'type'] }),
      'items[0].key[1]: must be source, subject, id, or a JSON pointer into the data such as /pipelineRun/metadata/uid',
    ],
    [
      inItem({ attempt: 'Attempt' }),
      'items[0].attempt: must be a JSON pointer into the data, or the name of an extension attribute',
    ],
    [inItem({ sorce: 'x' }), 'items[0].sorce: unknown key (did you mean "source"?)'],
    [inItem({ data: { state: 'x' } }), /items\[0\]\.data\.state: .*JSON pointer/],
    [
      { ttlSeconds: 60, presets: [{ preset: 'jenkins', backlog: 'a' }] },
      'presets[0].preset: must be one of tekton-pipelinerun, tekton-taskrun, cdevents-pipelinerun, cdevents-taskrun, codepipeline',
    ],
  ])('%j', (input, fault) => {
    expect(faultsOf(input)).toEqual([
      typeof fault === 'string' ? `connections.b.${fault}` : expect.stringMatching(fault),
    ]);
  });
});

describe('a trigger', () => {
  const config = eventsConfig.parse(good);
  const params = { backlog: 'builds', targetItems: 4, activationItems: 2 };

  it('names a backlog of its connection', () => {
    expect(conflict(params, config)).toBeUndefined();
    expect(conflict({ ...params, backlog: 'build' }, config)).toBe(
      'backlog: the connection has builds, not "build" (did you mean "builds"?)',
    );
  });

  it('is named after its backlog alone', () => {
    expect(target(params)).toEqual({ perReplica: 4, activation: 2, nameParts: ['builds'] });
  });
});
