import { describe, expect, it } from 'vitest';
import { validateInputs } from '../../../src/scaledobjects/validate.ts';
import { sources } from '../../../src/sources/index.ts';
import { loadExample } from '../../support/example-config.ts';
import { mistakes, rightConfig, rightJob, rightObject, written } from '../../support/mistakes.ts';

const { connections } = await loadExample(rightConfig);
const world = { sources, connections, maxStalenessSeconds: 60, refuseSecretsFromEnv: false };

const reportOf = (text: string) =>
  validateInputs([{ file: 'a.yaml', text }], { sources, namespace: '', world });

const faultsOf = (text: string) =>
  reportOf(text).faults.map(({ severity, message }) => `${severity}: ${message}`);

describe('validate', () => {
  it.each([rightObject, rightJob])('reports nothing for a right file', (text) => {
    const { faults, triggers, leftOpen } = reportOf(text);
    expect({ faults, triggers, leftOpen }).toEqual({ faults: [], triggers: 1, leftOpen: 0 });
  });

  it.each(mistakes)('$mistake', (mistake) => {
    const { faults } = reportOf(written(mistake));
    expect(faults.map(({ severity }) => severity)).toEqual([mistake.severity]);
    expect(faults[0]?.message).toMatch(mistake.says);
  });

  it('knows at least fifteen', () => {
    expect(mistakes.length).toBeGreaterThanOrEqual(15);
  });

  it('without a configuration skips only what a connection decides', () => {
    const foreign = rightObject.replace('connection: orders', 'connection: payments');
    expect(reportOf(foreign).faults).toHaveLength(1);
    const report = validateInputs([{ file: 'a.yaml', text: foreign }], { sources, namespace: '' });
    expect([report.faults, report.leftOpen]).toEqual([[], 1]);
  });

  it('takes the value of a variable as unknown', () => {
    const text = rightObject
      .replace('topic: orders', 'topicFromEnv: TOPIC')
      .replace('lagThreshold: "50"', 'lagThresholdFromEnv: LAG');
    expect(faultsOf(text)).toEqual([]);
    expect(reportOf(text).leftOpen).toBe(1);
    expect(faultsOf(text.replace('lagThresholdFromEnv', 'lagTresholdFromEnv'))).toEqual([
      'error: "lagTresholdFromEnv": unknown key (did you mean "lagThreshold"?)',
    ]);
  });

  it('reports everything at once, by file and line', () => {
    const text = rightObject
      .replace('lagThreshold', 'lagTreshold')
      .replace('consumerGroup', 'group')
      .replace(':6000', '');
    const { faults } = validateInputs(
      [
        { file: 'b.yaml', text },
        { file: 'a.yaml', text: 'kind: [' },
      ],
      { sources, namespace: '' },
    );
    const places = ['b.yaml:11', 'b.yaml:13', 'b.yaml:16', 'b.yaml:18', 'a.yaml:1'];
    expect(faults.map(({ file, line }) => `${file}:${line}`)).toEqual(places);
  });

  it('notices two ScaledObjects of one workload, across files', () => {
    const other = rightObject.replace('name: order-workers\n  namespace', 'name: other\n  namespace');
    const { faults } = validateInputs(
      [
        { file: 'a.yaml', text: rightObject },
        { file: 'b.yaml', text: other },
      ],
      { sources, namespace: '' },
    );
    expect(faults).toMatchObject([{ file: 'b.yaml', line: 7, severity: 'error' }]);
    expect(faults[0]?.message).toContain(
      'ScaledObject order-workers (a.yaml) scales Deployment order-workers, too',
    );
  });

  it.each([
    [true, rightObject, [['enableTLS: is missing', 11]]],
    [true, rightObject.replace('source:', 'enableTLS: "true"\n        source:'), []],
    [
      false,
      rightObject.replace('source:', 'enableTLS: "true"\n        source:'),
      [['enableTLS: the gRPC port', 14]],
    ],
    [false, rightObject, []],
  ] as const)('compares TLS with the port: %j', (tls, text, expected) => {
    const { faults } = validateInputs([{ file: 'a.yaml', text }], { sources, namespace: '', world, tls });
    expect(faults.map(({ message, line }) => [message.slice(0, expected[0]?.[0].length), line])).toEqual(
      expected,
    );
  });

  it('ignores triggers of other scalers', () => {
    const text = rightObject.replace('external-push', 'kafka');
    const { faults, triggers, otherTriggers } = reportOf(text);
    expect({ faults, triggers, otherTriggers }).toEqual({ faults: [], triggers: 0, otherTriggers: 1 });
  });
});
