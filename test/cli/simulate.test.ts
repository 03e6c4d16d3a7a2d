import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { simulatePages } from '../../scripts/docs/simulate.ts';
import { ConfigFolder } from '../support/config-folder.ts';
import { rightJob, rightObject } from '../support/mistakes.ts';
import { runHere } from '../support/run-here.ts';

const history = (...rows: readonly string[]): string => `time,backlog,arrivals\n${rows.join('\n')}\n`;
/** 600 items within a minute, and the next twenty minutes. */
const burst = history(
  '2026-11-23T08:00:00Z,0,',
  '2026-11-23T08:01:00Z,300,600',
  '2026-11-23T08:02:00Z,0,0',
  '2026-11-23T08:20:00Z,0,0',
);

interface Given {
  readonly yaml?: string;
  readonly csv?: string;
  readonly env?: NodeJS.ProcessEnv;
}

async function simulate(args: readonly string[], { yaml = rightObject, csv = burst, env = {} }: Given = {}) {
  const folder = await ConfigFolder.make();
  onTestFinished(() => folder.remove());
  await folder.write('h.csv', csv);
  const file = (name: string): string => `${folder.path}/${name}`;
  const inPlace = args.map((arg) => arg.replace('FOLDER', folder.path));
  const all = ['simulate', '-f', '-', '--history', file('h.csv'), ...inPlace];
  return {
    ...(await runHere(all, { input: yaml, env })),
    read: (name: string) => readFileSync(file(name), 'utf8'),
  };
}

const rate = ['--replica-rate', '5'];
const drain = ['--set', 'drain 60 s:policy=drain,drainSeconds=60'];

describe('backlog-scaler simulate', () => {
  it('makes docs/simulate.md, its histories and its pictures', async () => {
    for (const [path, text] of await simulatePages()) expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('confirms on the shipped histories what the page says about drain', () => {
    const rows = readFileSync('docs/simulate.md', 'utf8').matchAll(
      /^\| [^|]*\| ([^|]+) \| (\d+) s(: missed)? \| ([\d.]+)[^|]*\| (\d+) \|$/gm,
    );
    const [orders, , , batch] = [...rows].map(([, name, wait, missed, hours, pods], i, all) => {
      const next = all[i + 1];
      return { name, wait, missed, hours: Number(hours), pods: Number(pods), next };
    });
    for (const written of [orders, batch]) {
      const [, name, wait, missed, hours, pods] = written?.next ?? [];
      expect([written?.name, name, missed]).toEqual(['as written', 'drain 60 s', undefined]);
      expect(Number(wait)).toBeLessThanOrEqual(60);
      expect(Number(hours)).toBeLessThan(written?.hours ?? 0);
      expect(Number(pods)).toBeLessThan(written?.pods ?? 0);
    }
  });

  it('compares settings, writes a picture, and fits 40 columns', async () => {
    const { code, stdout, stderr, read } = await simulate([...rate, ...drain, '--svg', 'FOLDER/a.svg'], {
      env: { COLUMNS: '40' },
    });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/as written\n {2}worst wait[\s\S]*drain 60 s\n {2}worst wait/);
    const own = stdout.split('\n').filter((line) => !line.includes('/h.csv'));
    expect(Math.max(...own.map((line) => line.length))).toBeLessThanOrEqual(40);
    expect(stdout).not.toContain('\u001b');
    expect(read('a.svg')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  });

  it('prints JSON', async () => {
    const { code, stdout } = await simulate([...rate, ...drain, '-o', 'json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      history: {
        from: '2026-11-23T08:00:00.000Z',
        to: '2026-11-23T08:20:00.000Z',
        seconds: 1200,
        items: 600,
      },
      model: { replicaRate: 5, podStartSeconds: 10, syncPeriodSeconds: 15, tolerance: 0.1 },
      settings: [{ name: 'as written' }, { name: 'drain 60 s', drainSeconds: 60, lateShare: 0 }],
      failures: [],
    });
  });

  it('exits with 1 if a check fails, and says for which setting', async () => {
    const checks = [
      '--fail-if',
      'p99wait>9000',
      '--fail-if',
      'mostreplicas>4',
      '--fail-if',
      'drain 60 s:left>0',
    ];
    const { code, stdout, stderr } = await simulate([...rate, ...drain, ...checks]);
    expect(code).toBe(1);
    expect(stdout).toContain('replica-h');
    expect(stderr).toMatch(/^as written: failed by --fail-if "mostreplicas>4": mostreplicas is \d+\n$/);
  });

  it('takes the rate of a replica from the trigger', async () => {
    const yaml = rightObject.replace(
      /lagThreshold: .*/,
      'policy: drain\n        drainSeconds: "60"\n        replicaRate: "2"',
    );
    const { code, stdout } = await simulate([], { yaml });
    expect(code).toBe(0);
    expect(stdout).toContain('finishes 2 items a second (replicaRate of as written)');
  });

  it('plays one of several triggers, and says so', async () => {
    const other = rightObject.replaceAll('order-workers', 'other');
    const cron =
      '    - type: cron\n      metadata: { timezone: UTC, start: 0 8 * * *, end: 0 9 * * *, desiredReplicas: "3" }\n';
    const yaml = `${other}---\n${rightObject}${cron}`;
    const several = await simulate(rate, { yaml });
    expect([several.code, several.stderr]).toEqual([
      2,
      expect.stringContaining('--name says which (other, order-workers)'),
    ]);
    const { code, stdout } = await simulate([...rate, '--name', 'order-workers'], { yaml });
    expect(code).toBe(0);
    expect(stdout).toContain('Only triggers[0] is played');
  });

  const aliases = `a: &a [x,x]\nb: &b [*a,*a]\n${Array.from({ length: 30 }, (_, i) => `k${i}: &k${i} [*b,*b,*b]`).join('\n')}`;

  it.each<[string, readonly string[], Given, RegExp]>([
    ['no ScaledObject', rate, { yaml: 'kind: ConfigMap\napiVersion: v1\n' }, /holds no ScaledObject/],
    ['no YAML', rate, { yaml: '[1' }, /is not YAML/],
    [
      'anchors without end',
      rate,
      { yaml: `${rightObject}    - metadata:\n        ${aliases.replaceAll('\n', '\n        ')}` },
      /aliases|type: is missing/,
    ],
    ['a ScaledJob', rate, { yaml: rightJob }, /is a ScaledJob/],
    [
      "KEDA's own trigger",
      rate,
      { yaml: rightObject.replace('external-push', 'kafka') },
      /backlog-scaler convert makes one/,
    ],
    [
      'a wrong key',
      rate,
      { yaml: rightObject.replace('lagThreshold', 'lagTreshold') },
      /a(?:.|\n)*did you mean "lagThreshold"/,
    ],
    ['no rate', [], {}, /--replica-rate N is needed/],
    [
      'no rate, and drain',
      ['--set', 'drain:policy=drain,drainSeconds=60'],
      {},
      /needs replicaRate(?:.|\n)*--replica-rate N says replicaRate/,
    ],
    ['a rate that is none', ['--replica-rate', 'fast'], {}, /--replica-rate must be a number from 0\.00001/],
    ['a wrong setting', [...rate, '--set', 'x:lagTreshold=5'], {}, /--set "x": "lagTreshold": unknown key/],
    [
      'two settings of a name',
      [...rate, '--set', 'x:lagThreshold=5', '--set', 'x:lagThreshold=6'],
      {},
      /two of this name/,
    ],
    ['a wrong check', [...rate, '--fail-if', 'p99wait>long'], {}, /--fail-if must be QUANTITY/],
    [
      'no history',
      [...rate, '--history', '/nowhere.csv'],
      {},
      /\/nowhere\.csv: .*(?:no such file|does not exist)/i,
    ],
    [
      'folders',
      [...rate, '-f', 'docs/histories'],
      {},
      /--file must be one file, and "docs\/histories" is a folder/,
    ],
    ['a history that is none', rate, { csv: 'a,b\n' }, /h\.csv: must be CSV with a header/],
    [
      'a history that is not sorted',
      rate,
      { csv: history('2026-11-23T08:00:00Z,0,', '2026-11-23T07:00:00Z,0,') },
      /h\.csv:3: time: is before/,
    ],
    [
      'a picture that cannot be written',
      [...rate, '--svg', '/nowhere/a.svg'],
      {},
      /--svg \/nowhere\/a\.svg: /,
    ],
    [
      'both from standard input',
      [...rate, '--history', '-'],
      {},
      /only one of --file and --history can be -/,
    ],
  ])('exits with 2 for %s', async (_, args, given, message) => {
    const { code, stdout, stderr } = await simulate(args, given);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  it('does not take unknown for zero', async () => {
    const csv = history('2026-11-23T08:00:00Z,50,', '2026-11-23T08:05:00Z,,', '2026-11-23T08:10:00Z,50,');
    const { code, stdout } = await simulate(rate, { csv });
    expect(code).toBe(0);
    expect(stdout).toContain('1 of 3 points have no backlog. That is no zero');
    expect(stdout).toContain('Arrivals are not recorded');
  });
});
