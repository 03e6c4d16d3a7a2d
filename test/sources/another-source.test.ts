import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status as Code } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { generated } from '../../scripts/docs/generated.ts';
import { sources } from '../../src/sources/index.ts';
import { ref } from '../support/rpc-client.ts';
import { lines } from '../support/toy-source/index.ts';
import { WholeScaler } from '../support/whole-scaler.ts';

/** With the one line of `src/sources/index.ts`. */
const withLines = [...sources, lines];
const trigger = { source: 'lines', file: 'orders.txt', linesPerReplica: '2' };

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'backlog-scaler-lines-'));
  write('.pin', '1234\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

function write(file: string, content: string): void {
  writeFileSync(join(directory, file), content);
}

const settings = (more: object = {}) => ({
  connections: { shop: { source: 'lines', directory, pinFile: 'pin', activeReadMs: 50, ...more } },
});

/** The scaler with a file of this many lines. */
async function scalerWith(count: number): Promise<WholeScaler> {
  write('orders.txt', 'a line\n'.repeat(count));
  const scaler = await WholeScaler.start(settings(), { pin: '1234\n' }, { sources: withLines });
  onTestFinished(() => scaler.stop());
  return scaler;
}

const admin = (scaler: WholeScaler, path: string) =>
  fetch(`http://127.0.0.1:${scaler.port('admin')}${path}`).then((answer) => answer.text());

describe('another source, in the whole scaler', () => {
  it('answers the three unary RPCs', async () => {
    const { client } = await scalerWith(3);
    expect(await client.isActive(ref('w', trigger))).toEqual({ result: true });
    const { metricSpecs } = await client.getMetricSpec(ref('w', trigger));
    expect(metricSpecs).toMatchObject([{ metricName: 'lines-orders-txt', targetSizeFloat: 2 }]);
    const { metricValues } = await client.getMetrics(ref('w', trigger), 'lines-orders-txt');
    expect(metricValues).toMatchObject([{ metricValueFloat: 3 }]);
  });

  it('pushes an edge from its watch, and the target, on the two streams', async () => {
    const scaler = await scalerWith(0);
    const active = scaler.client.streamIsActive(ref('w', trigger));
    expect(await active.next()).toEqual({ result: false });
    const spec = scaler.client.streamMetricSpec(ref('w', trigger));
    expect(await spec.next()).toMatchObject({ metricSpecs: [{ targetSizeFloat: 2 }] });
    write('orders.txt', 'a line\n');
    expect(await active.next()).toEqual({ result: true });
    await expect
      .poll(() => admin(scaler, '/metrics'))
      .toContain('backlog_scaler_wakes_total{source="lines",connection="shop",cause="watch"}');
  });

  it('is refused with all faults, and the nearest key', async () => {
    const { client } = await scalerWith(1);
    const wrong = ref('w', { ...trigger, file: '../etc', linesPerReplika: '1', linesPinFromEnv: 'hunter2' });
    const refused = client.getMetrics(wrong, '');
    await expect(refused).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT });
    const { details } = await refused.catch((error) => error);
    for (const part of ['file: ', 'must be the name of a file', 'linesPerReplica', 'linesPinFromEnv'])
      expect(details).toContain(part);
    expect(details).not.toContain('hunter2');
  });

  it('fails as an error, never as zero, and says why', async () => {
    const { client } = await scalerWith(1);
    await expect(client.getMetrics(ref('w', { ...trigger, file: 'gone.txt' }), '')).rejects.toMatchObject({
      details: expect.stringContaining('the file gone.txt is not in the directory'),
    });
  });

  it('applies a changed setting and a changed secret while running, and refuses a wrong one', async () => {
    const scaler = await scalerWith(1);
    const value = () => scaler.client.getMetrics(ref('w', trigger), '');
    expect((await value()).metricValues).toMatchObject([{ metricValueFloat: 1 }]);
    await scaler.reload(settings({ activeReadMs: 100 }));
    expect((await value()).metricValues).toMatchObject([{ metricValueFloat: 1 }]);
    await scaler.reload(settings({ directori: '/x' }));
    expect(JSON.stringify(scaler.log.lines)).toContain('did you mean \\"directory\\"');
    await scaler.reload(settings(), { pin: '4321\n' });
    await expect(
      scaler.client.getMetrics(ref('another', { ...trigger, maxStalenessSeconds: '1' }), ''),
    ).rejects.toMatchObject({ details: expect.stringContaining('the pin is not what the file .pin holds') });
  });

  it('is in metrics and in /api/triggers, like any other', async () => {
    const scaler = await scalerWith(3);
    await scaler.client.getMetrics(ref('w', trigger), '');
    const page = JSON.parse(await admin(scaler, '/api/triggers'));
    expect(page.triggers).toMatchObject([{ source: 'lines', connection: 'shop', value: 3, target: 2 }]);
    const metrics = await admin(scaler, '/metrics');
    expect(metrics).toMatch(
      /^backlog_scaler_source_reads_total\{source="lines",connection="shop",outcome="ok"\}/m,
    );
    expect(metrics).toMatch(
      /^backlog_scaler_trigger_value\{.*source="lines",metric="lines-orders-txt"\} 3$/m,
    );
  });

  it.each([
    ['a least age', { maxStalenessSeconds: '0.1' }, 'maxStalenessSeconds'],
    ['a directory of another connection', { linesDirectory: '/elsewhere' }, 'linesDirectory'],
  ])('has %s', async (_, more, key) => {
    const { client } = await scalerWith(1);
    await expect(client.isActive(ref('w', { ...trigger, ...more }))).rejects.toMatchObject({
      code: Code.INVALID_ARGUMENT,
      details: expect.stringContaining(key),
    });
  });
});

describe('generated files', () => {
  const now = generated(sources);
  const then = generated(withLines);

  it.each([...now.keys()])('%s is up to date: npm run docs', (path) => {
    expect(readFileSync(path, 'utf8')).toBe(now.get(path));
  });

  it.each([
    ['docs/configuration.md', '### `source: lines`'],
    ['docs/configuration.md', '| `pin` or `pinFile`, **required** |'],
    ['docs/triggers.md', '## `source: lines`'],
    ['docs/triggers.md', 'The default of `maxStalenessSeconds` is 20.'],
    ['docs/sources.md', '| [`lines`](lines.md) | the lines that wait in a file |'],
    ['docs/ingest.md', "| `lines` | the file's name"],
    ['docs/keda.md', '| `lines` | `linesPin` |'],
    ['docs/metrics.md', '| `lines` | never: a line has no time'],
    ['docs/operations.md', '| `lines` | the first look at the file |'],
    ['docs/scaledjobs.md', '| `lines` | lines that workers delete when'],
    ['deploy/alerts/BacklogScalerReadingOld.yaml', 'source=~"lines"} > 15'],
    ['deploy/alerts/BacklogScalerRateLimitLow.yaml', 'source="lines"} < 3600'],
    ['deploy/helm/backlog-scaler/files/alerts/BacklogScalerReadingOld.yaml', 'source=~"lines"} > 15'],
    ['deploy/helm/backlog-scaler/files/alerts/BacklogScalerRateLimitLow.yaml', 'source="lines"} < 3600'],
    ['deploy/helm/backlog-scaler/files/sources.yaml', '  lines:\n    reaches: "no network'],
    ['deploy/helm/backlog-scaler/files/sources.yaml', ', pin]'],
    ['deploy/helm/backlog-scaler/values.schema.json', '"events", "lines"]'],
  ])('%s would include it: %s', (path, text) => {
    expect(then.get(path)).toContain(text);
    expect(now.get(path)).not.toContain(text);
  });

  it('all would include it, except messages, which come from the code in src', () => {
    const without = [...then].filter(([path, text]) => text === now.get(path)).map(([path]) => path);
    expect(without).toEqual(['docs/errors.md']);
  });
});

/**
 * `events` is also another word, `nats` also an event log, and `sqs` also a service of AWS that SNS's folder needs. The
 * others know KEDA's own triggers, and common mistakes with known sources. A new source has neither.
 */
const others = [
  'aws-endpoints.ts',
  ...['connections', 'convert', 'mistakes', 'spec-mistakes'].map((name) => `scaledobjects/${name}.ts`),
];

it('no code outside of its folder names a source', () => {
  const kinds = sources.map(({ kind }) => kind).filter((kind) => !['events', 'nats'].includes(kind));
  const name = new RegExp(`['"\`](${kinds.join('|')})['"\`]`);
  const naming = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.startsWith('sources/') && !others.includes(path))
    .filter((path) => name.test(readFileSync(`src/${path}`, 'utf8')));
  expect(naming).toEqual([]);
});
