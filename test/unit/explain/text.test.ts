import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parameterViews } from '../../../src/explain/parameters.ts';
import { playScaledJob, playScaledObject, type TriggerDemand } from '../../../src/explain/scaling.ts';
import { explainScaling, explainTrigger } from '../../../src/explain/text.ts';
import type { TriggerView } from '../../../src/explain/view.ts';
import { hpaDefaults } from '../../../src/scaling/hpa.ts';
import { kedaDefaults } from '../../../src/scaling/keda.ts';
import { sources } from '../../../src/sources/index.ts';
import { readReference } from '../../../src/triggers/resolve.ts';

const view: TriggerView = {
  title: 'ScaledObject shop/orders, triggers[0]',
  parameters: [{ name: 'topic', value: 'x'.repeat(50), origin: 'metadata', hidden: false }],
  faults: [],
  answers: [
    { rpc: 'IsActive', kind: 'error', code: 'UNAVAILABLE', message: 'a\u001b[31m broker that is down' },
  ],
  notes: [],
};

describe('the text of a trigger', () => {
  it.each([20, 40, 80])('keeps to %i columns, and cuts nothing', (columns) => {
    const text = explainTrigger(view, { columns });
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
    expect(text.replace(/\s/g, '')).toContain('x'.repeat(50));
  });

  it('prints no control character', () => {
    expect(explainTrigger(view)).toContain('\\u001b');
  });

  it('has colours only where they are asked for, which take no room', () => {
    const plain = explainTrigger(view, { columns: 40 });
    const coloured = explainTrigger(view, { columns: 40, colour: true });
    expect(plain).not.toContain('\u001b');
    expect(coloured).toContain('\u001b[31m    IsActive');
    expect(stripVTControlCharacters(coloured)).toBe(plain);
  });

  it('shows the parts of a number, and how many more there are', () => {
    const row = {
      name: 'orders/3',
      items: 830,
      because: 'end - committed',
      said: { committed: 170, logStart: 0, end: 1000 },
    };
    const working = {
      unit: 'partitions',
      rows: [row],
      more: { rows: 940, items: 12 },
      rules: ['at most 941'],
    };
    expect(explainTrigger({ ...view, working }, { columns: 100 })).toContain(
      [
        '  Working, by partitions',
        '    orders/3: 830, end - committed (committed 170, logStart 0, end 1000)',
        '    and 940 more partitions, which add 12',
        '    together: 842',
        '    at most 941',
        '',
      ].join('\n'),
    );
  });

  it('says once what several RPCs say, and which stream says nothing', () => {
    const fields = { metricName: 'm', targetSize: '5' };
    const answers = [
      { rpc: 'StreamIsActive', kind: 'silent' },
      { rpc: 'GetMetricSpec', kind: 'answer', fields },
      { rpc: 'StreamMetricSpec', kind: 'answer', fields },
    ] as const;
    expect(explainTrigger({ ...view, answers })).toContain(
      [
        '  Answers',
        '    StreamIsActive: says nothing, as long as nothing is known',
        '    GetMetricSpec, StreamMetricSpec: metricName=m targetSize=5',
        '',
      ].join('\n'),
    );
  });

  it('says why nothing can be foretold', () => {
    expect(explainScaling({ kind: 'unknown', because: ['triggers[1]: it is cron'] })).toBe(
      'What KEDA does cannot be said\n  Because\n    triggers[1]: it is cron\n',
    );
  });
});

describe('parameters', () => {
  it('show their origin, and neither secrets nor values of FromEnv', () => {
    const metadata = {
      source: 'kafka',
      consumerGroup: 'g',
      topicFromEnv: 'hidden-variable',
      password: 'hidden-password',
      tlsClientKey: 'hidden-key',
    };
    const reference = { namespace: 'shop', name: 'orders', metadata };
    const views = parameterViews(readReference(reference, { sources, refuseSecretsFromEnv: false }));
    expect(JSON.stringify(views)).not.toContain('hidden-');
    expect(views).toContainEqual({ name: 'topic', value: '', origin: 'FromEnv', hidden: true });
    expect(views).toContainEqual({ name: 'consumerGroup', value: 'g', origin: 'metadata', hidden: false });
    expect(views).toContainEqual({ name: 'lagThreshold', value: '10', origin: 'default', hidden: false });
  });
});

const rules = {
  keda: kedaDefaults,
  hpa: { ...hpaDefaults, minReplicaCount: 0, maxReplicaCount: 20 },
  pollingIntervalSeconds: 30,
};
const demand: TriggerDemand = {
  metricType: 'AverageValue',
  active: true,
  value: 830,
  target: 50,
  surge: true,
};

function replicasOver(demands: readonly TriggerDemand[], current: number): number[] {
  const view = playScaledObject(rules, demands, current);
  if (view.kind !== 'ScaledObject') expect.fail();
  return view.steps.map(({ replicas }) => replicas).filter((one, i, all) => one !== all[i - 1]);
}

describe('what KEDA and the HPA do', () => {
  it.each<[string, readonly TriggerDemand[], number, readonly number[]]>([
    ['a surge', [demand], 0, [1, 4, 8, 16, 17]],
    ['at most maxReplicaCount', [{ ...demand, value: 9_000 }], 0, [1, 4, 8, 16, 20]],
    ['by the clock', [{ ...demand, surge: false }], 0, [1, 4, 8, 16, 17]],
    ['within the tolerance', [demand], 16, [16]],
    ['nothing waits', [{ ...demand, active: false, value: 0 }], 7, [7, 1, 0]],
    ['an error', [{ ...demand, active: false, value: undefined }], 7, [7]],
    ['an error beside more work', [demand, { ...demand, value: undefined }], 1, [1, 4, 8, 16, 17]],
  ])('%s', (_, demands, current, expected) => {
    expect(replicasOver(demands, current)).toEqual(expected);
  });

  it('a surge is over within a second, the clock takes its time', () => {
    const atMs = (surge: boolean): number | undefined => {
      const view = playScaledObject(rules, [{ ...demand, surge }], 0);
      return view.kind === 'ScaledObject'
        ? view.steps.find(({ replicas }) => replicas === 17)?.atMs
        : undefined;
    };
    expect(atMs(true)).toBeLessThan(1000);
    expect(atMs(false)).toBeGreaterThanOrEqual(60_000);
  });

  it('Jobs by strategy', () => {
    const made = (kind: 'default' | 'accurate' | 'eager'): number => {
      const spec = { strategy: { kind }, minReplicaCount: 0, maxReplicaCount: 10 };
      const view = playScaledJob(spec, [{ ...demand, value: 6, target: 1 }], 5);
      return view.kind === 'ScaledJob' ? view.creates : -1;
    };
    expect([made('default'), made('accurate'), made('eager')]).toEqual([1, 5, 5]);
  });
});
