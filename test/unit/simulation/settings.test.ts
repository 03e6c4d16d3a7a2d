import { describe, expect, it } from 'vitest';
import { rulesOf } from '../../../src/explain/scaling.ts';
import { changed, readChange, settingOf } from '../../../src/simulation/settings.ts';
import { sources } from '../../../src/sources/index.ts';
import { rightObject } from '../../support/mistakes.ts';
import { resource, setting } from '../../support/simulation.ts';

describe('--set', () => {
  it.each<[string, string, Readonly<Record<string, string>>]>([
    ['threshold 50:lagThreshold=50', 'threshold 50', { lagThreshold: '50' }],
    ['drain 60 s:policy=drain,drainSeconds=60', 'drain 60 s', { policy: 'drain', drainSeconds: '60' }],
    ['drain=policy=drain,drainSeconds=60', 'drain', { policy: 'drain', drainSeconds: '60' }],
    ['lagThreshold=50', 'lagThreshold=50', { lagThreshold: '50' }],
    ['policy=drain,drainSeconds=60', 'policy=drain,drainSeconds=60', { policy: 'drain', drainSeconds: '60' }],
    [' a : lagThreshold = 50 , surge=', 'a', { lagThreshold: '50', surge: '' }],
    ['q:queueURL=https://sqs.eu/1/q', 'q', { queueURL: 'https://sqs.eu/1/q' }],
    ['queueURL=https://sqs.eu/1/q', 'queueURL=https://sqs.eu/1/q', { queueURL: 'https://sqs.eu/1/q' }],
  ])('%s', (text, name, values) => {
    expect(readChange(text)).toEqual({ name, values: new Map(Object.entries(values)) });
  });

  it.each<[string, RegExp]>([
    ['', /must be NAME:key=value/],
    ['name', /must be NAME:key=value/],
    ['a:b', /must be NAME:key=value/],
    ['a:=5', /must be NAME:key=value/],
    ['a:b=1,,c=2', /must be NAME:key=value/],
    ['a:b=1,b=2', /has b twice/],
    [`${'x'.repeat(99)}:b=1`, /is longer than 80 characters/],
  ])('%j is refused', (text, message) => {
    expect(readChange(text)).toMatch(message);
  });

  it('changes keys of the trigger, of the ScaledObject, and of its behavior', () => {
    const { trigger, rules } = setting(
      'a:lagThreshold=7,activationLagThreshold=3,minReplicaCount=2,cooldownPeriod=60,scaleDown.stabilizationWindowSeconds=30,metricType=Value,type=external',
    );
    expect(trigger).toMatchObject({ perReplica: 7, activation: 3, metricType: 'Value', pushed: false });
    expect(rules.keda).toMatchObject({ minReplicaCount: 2, cooldownPeriodSeconds: 60 });
    expect(rules.hpa.behavior?.scaleDown.stabilizationWindowSeconds).toBe(30);
    expect(rules.hpa.behavior?.scaleUp).toEqual(rulesOf({ behavior: {} }).hpa.behavior?.scaleUp);
  });

  it('gives policy: drain a rate for one replica if none is written', () => {
    expect(setting('policy=drain,drainSeconds=60').trigger).toMatchObject({
      perReplica: 1,
      drain: { drainSeconds: 60, replicaRate: 5, learn: false },
    });
    const own = setting('policy=drain,drainSeconds=60,replicaRate=3');
    expect(own.trigger.drain?.replicaRate).toBe(3);
  });

  it('removes with the policy everything that belongs to it, and a key by an empty value', () => {
    const drain = rightObject.replace(
      'lagThreshold: "50"',
      'policy: drain\n        drainSeconds: "60"\n        replicaRate: "3"',
    );
    expect(setting('policy=backlog,lagThreshold=9', drain).trigger).toMatchObject({
      drain: undefined,
      perReplica: 9,
    });
    expect(setting('lagThreshold=').trigger.perReplica).toBe(10);
    expect(setting('metricType=').trigger.metricType).toBe('AverageValue');
  });

  it.each<[string, RegExp]>([
    ['lagTreshold=5', /"lagTreshold": unknown key.*did you mean "lagThreshold"/],
    ['lagThreshold=x', /lagThreshold: /],
    ['policy=drain', /policy: drain needs drainSeconds/],
    ['drainSeconds=5', /drainSeconds: needs policy: drain/],
    ['minReplicaCount=-1', /minReplicaCount: must be a whole number, got "-1"/],
    ['minReplicaCount=30', /minReplicaCount/],
    ['scaleUp.policies=1', /scaleUp\.policies: must be one of scaleUp\.stabilizationWindowSeconds/],
    ['scaleUp.selectPolicy=Most', /behavior\.scaleUp\.selectPolicy: must be Max, Min or Disabled/],
    ['metricType=Sum', /metricType/],
    ['useCachedMetrics=maybe', /useCachedMetrics: must be true or false, got "maybe"/],
    ['scaleDown.tolerance=NaN', /tolerance: must be a number.*got "NaN"/],
    ['__proto__=1', /"__proto__": unknown key/],
    ['type=kafka', /type: must be external-push or external, got "kafka"/],
    ['topicFromEnv=TOPIC,topic=', /topicFromEnv: only KEDA knows/],
  ])('reports what is wrong with %s', (change, message) => {
    expect(() => setting(change)).toThrow(message);
  });
});

describe('an unplayable setting', () => {
  it.each<[string, string, RegExp]>([
    [
      'a formula',
      rightObject.replace(
        '  triggers:',
        '  advanced: { scalingModifiers: { formula: a, target: "1" } }\n  triggers:',
      ),
      /scalingModifiers: their formula is not played/,
    ],
    [
      'a source that there is not',
      rightObject.replace('source: kafka', 'source: kafk'),
      /source: must be one of/,
    ],
  ])('is refused: %s', (_, text, message) => {
    const made = settingOf('a', resource(text), 0, sources);
    expect('faults' in made ? made.faults.join('\n') : '').toMatch(message);
  });

  it('does not change its input', () => {
    const before = resource();
    const spec = JSON.stringify(before.spec);
    changed(
      before,
      0,
      {
        name: 'a',
        values: new Map([
          ['minReplicaCount', '2'],
          ['topic', 'x'],
        ]),
      },
      1,
    );
    expect([JSON.stringify(before.spec), before.triggers[0]?.metadata['topic']]).toEqual([spec, 'orders']);
  });
});
