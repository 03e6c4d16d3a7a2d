import { readFileSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector';
import { Writable } from 'node:stream';
import { expect, it, onTestFinished, vi } from 'vitest';
import { connectionOf } from '../support/live-triggers.ts';
import { ref } from '../support/rpc-client.ts';
import { startScaler } from '../support/scaler.ts';
import { WatchedLog, watchedSource } from '../support/watched-source.ts';

/** What stands at the door of every call, or of every read. */
const doors = {
  call: ['grpc/admission.ts', 'grpc/server.ts', 'grpc/streams.ts', 'sockets.ts', 'telemetry/tracing.ts'],
  read: ['telemetry/tracing.ts'],
};

/** The files that a walk of docs/architecture.md names in its steps, without those of the source. */
function walk(title: string): string[] {
  const text = readFileSync('docs/architecture.md', 'utf8');
  const [, section = ''] = new RegExp(`^## ${title}.*?\n(.*?)^## `, 'ms').exec(text) ?? [];
  const steps = section.split('\n').filter((line) => /^(\d\.| {2}) /.test(line));
  const files = steps.join('\n').matchAll(/`([\w/-]+\.ts)`/g);
  return [...files].flatMap(([, file = '']) => (file.startsWith('sources/') ? [] : [file]));
}

/** Gives the files of src of which V8 has executed a function since it was last asked. */
function executedFiles(): () => string[] {
  const session = new Session();
  session.connect();
  onTestFinished(() => session.disconnect());
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true });
  const isExecuted = ({ functions }: Profiler.ScriptCoverage): boolean =>
    functions.some(({ ranges: [range] }) => range !== undefined && range.count > 0);
  return () => {
    let files: string[] = [];
    session.post('Profiler.takePreciseCoverage', (_, { result }) => {
      files = result.filter(isExecuted).flatMap(({ url }) => /\/src\/(.*\.ts)$/.exec(url)?.[1] ?? []);
    });
    return files;
  };
}

const worker = ref('worker', { source: 'watched', name: 'orders' });

async function startWatched() {
  const log = new WatchedLog();
  // No read by the clock comes between.
  const source = { ...watchedSource, pace: () => ({ nextReadMs: 30_000, watch: true }) };
  const { client } = await startScaler({ connections: [connectionOf('logs', source, log)] });
  // As KEDA asks: the activity right after the metrics.
  await client.getMetrics(worker, 'watched-orders');
  await client.isActive(worker);
  return { log, client };
}

it('a warm GetMetrics crosses the six files of its walk, and no other', async () => {
  const { client } = await startWatched();
  const executed = executedFiles();
  executed();
  await client.getMetrics(worker, 'watched-orders');
  const steps = walk('A warm GetMetrics');
  expect(executed().sort()).toEqual([...steps, ...doors.call].sort());
  expect(steps).toHaveLength(6);
});

it('a wake crosses the eight files of its walk to the message on the stream, and no other', async () => {
  const { log, client } = await startWatched();
  const stream = client.streamIsActive(worker);
  expect(await stream.next()).toEqual({ result: false });
  const executed = executedFiles();
  let atMessage: string[] = [];
  const { write } = Writable.prototype;
  vi.spyOn(Writable.prototype, 'write').mockImplementation(function (this: Writable, ...message) {
    if (this.constructor.name === 'ServerWritableStreamImpl') atMessage = executed();
    return Reflect.apply(write, this, message);
  });
  onTestFinished(() => void vi.restoreAllMocks());
  log.end = 3;
  executed();
  log.armed[0]?.wake('record');
  expect(await stream.next()).toEqual({ result: true });
  const steps = walk('A wake');
  expect(atMessage.sort()).toEqual([...steps, ...doors.read].sort());
  expect(steps).toHaveLength(8);
});
