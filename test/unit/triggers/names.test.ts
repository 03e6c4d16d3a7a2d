import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { metricName } from '../../../src/triggers/resolve.ts';
import { allows } from '../../../src/triggers/select-connection.ts';
import { hintSource, QueueService } from '../../support/hint-source.ts';
import { connectionOf } from '../../support/live-triggers.ts';

describe('metricName', () => {
  it('is a safe path segment and label value, whatever the parts', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 200 }), { maxLength: 5 }), (parts) => {
        const name = metricName('kafka', parts);
        expect(name).toMatch(/^kafka(-[a-z0-9]+)*$/);
        expect(name.length).toBeLessThanOrEqual(63);
        expect(metricName('kafka', parts)).toBe(name);
      }),
    );
  });

  it('keeps long names apart', () => {
    const long = 'x'.repeat(100);
    expect(metricName('kafka', [`${long}1`])).not.toBe(metricName('kafka', [`${long}2`]));
    expect(metricName('kafka', [long])).toMatch(/^kafka-x+-[0-9a-f]{8}$/);
  });
});

describe('allows', () => {
  it.each([
    ['*', 'anything', true],
    ['shop', 'shop', true],
    ['shop', 'shopping', false],
    ['team-*', 'team-a', true],
    ['team-*', 'my-team-a', false],
    ['*-prod', 'shop-prod', true],
    ['a*b*c', 'a1b2c', true],
    ['a*b*c', 'a1c', false],
    ['ab*ba', 'aba', false],
    ['a*b*b', 'ab', false],
  ])('%s on %s: %s', (pattern, namespace, allowed) => {
    const connection = connectionOf('c', hintSource, new QueueService(), { namespaces: [pattern] });
    expect(allows(connection, namespace)).toBe(allowed);
  });
});
