import { setFlagsFromString } from 'node:v8';
import { type Loaded, type LoadResult, loadConfig } from '../config/load.ts';
import { ScalerError } from '../errors.ts';
import { Scaler } from '../scaler.ts';
import { sources } from '../sources/index.ts';
import { createLogger, type Logger } from '../telemetry/log.ts';
import { addProcessMetrics } from '../telemetry/metrics.ts';
import { type Command, exitCode, type Values } from './command.ts';

export const serve: Command = {
  name: 'serve',
  summary: 'Answer KEDA: the gRPC server, with metrics and probes beside it.',
  options: {
    config: {
      type: 'string',
      value: 'FILE',
      doc: 'The configuration (YAML). Read again when it changes, and on SIGHUP.',
      required: true,
    },
  },
  run,
};

async function run(values: Values): Promise<number> {
  tuneCollector();
  let scaler: Scaler | undefined;
  // From the first moment: one that nobody takes would end the process.
  process.on('SIGHUP', () => void scaler?.reload());
  const file = String(values['config']);
  const load = (): Promise<LoadResult> => loadConfig(file, { environment: process.env, sources });
  const loaded = await load();
  if (loaded.kind === 'refused') return refuse(loaded.faults.map(({ message }) => message));

  const log = createLogger(loaded.config.settings.log.level);
  sayWhoMayCall(loaded, log);
  scaler = new Scaler({ sources, loaded, load, log });
  addProcessMetrics(scaler.metrics.registry);
  const stopped = stopOnSignals(scaler, log);
  try {
    await scaler.start();
  } catch (reason) {
    const error = ScalerError.from(reason);
    process.stderr.write(`The scaler cannot start: ${error.message}\n`);
    return error.code === 'invalid' ? exitCode.invalid : exitCode.failed;
  }
  return stopped;
}

function refuse(faults: readonly string[]): number {
  const lines = faults.map((fault) => `  ${fault}\n`).join('');
  process.stderr.write(`The configuration cannot be used:\n${lines}`);
  return exitCode.invalid;
}

/** Resolves with the exit code after the first signal; the second one does not wait any longer. */
function stopOnSignals(scaler: Scaler, log: Logger): Promise<number> {
  process.on('uncaughtException', (err) => {
    log.error({ err }, 'a fault of the scaler itself; the process ends');
    process.exit(exitCode.failed);
  });
  return new Promise((resolve) => {
    let stopping = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (stopping) process.exit(exitCode.failed);
      stopping = true;
      void scaler.stop(signal).then(() => resolve(exitCode.ok));
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

/**
 * Warns of a connection that nobody has decided about. One with `namespaces` is guarded as far as callers are KEDA: a
 * caller states its namespace itself, and whether a NetworkPolicy lets only KEDA in cannot be seen from here.
 */
function sayWhoMayCall({ start, config, guards }: Loaded, log: Logger): void {
  const all = [...config.connections.values()];
  const open = all
    .filter(({ name }) => !guards.has(`connections.${name}.namespaces`))
    .map(({ name }) => name);
  if (open.length > 0) {
    log.warn(
      { connections: open },
      'every namespace may use these connections: list the ones that may in namespaces, or write ["*"]',
    );
  }
  const guarded = all.filter(({ namespaces }) => !namespaces.includes('*')).map(({ name }) => name);
  if (guarded.length === 0 || start.grpc.tls?.clientCaFile !== undefined) return;
  log.info(
    { connections: guarded },
    'namespaces of connections hold only if KEDA alone can call: set grpc.tls.clientCaFile, or keep the NetworkPolicy of the chart',
  );
}

/** How much the heap may grow between two full collections, in percent of what is alive. */
const growthPercent = 12;

/**
 * Most of our heap is open streams that live for days, and little is garbage. V8 by default lets it grow to
 * several times what is alive before it collects, and gives little of that back; `npm run bench -- --only
 * latency` shows the memory with 20,000 streams. The price is a full collection more often.
 *
 * V8 also learns from long-lived streams to allocate the objects of all calls in the old generation. There they keep
 * everything they refer to until a full collection. Nearly all calls are short, so this is turned off.
 */
function tuneCollector(): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`);
  setFlagsFromString('--no-allocation-site-pretenuring');
}
