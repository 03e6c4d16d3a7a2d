import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/*
 * Loaded before the program of a process under measurement (`node --import`). It answers `NodeProcess.ask`, and does not
 * keep the process alive.
 *
 * `turns`: the longest turn of the event loop since the last question. It is the CPU time of the loop's thread between
 * two ticks of a timer of 1 ms, with its garbage collections. Also the longest time between two ticks by the clock. The
 * loop was busy for that long, or did not run because other programs used the cores.
 * `load`: since the last question, the part of the time that went into collecting garbage, and how late ticks of that
 * timer were, at the 99th percentile.
 * `memory`: the size of the heap after full collections, with buffers outside of it, and the resident memory then.
 * `handles`: how many resources keep the event loop alive.
 */

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const ticks = monitorEventLoopDelay({ resolution: 1 });
ticks.enable();

let longestCpuMicros = 0;
let cpuMicros = threadCpuMicros();
setInterval(() => {
  const nowMicros = threadCpuMicros();
  longestCpuMicros = Math.max(longestCpuMicros, nowMicros - cpuMicros);
  cpuMicros = nowMicros;
}, 1).unref();

const garbage = { ms: 0, sinceMs: performance.now() };
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) garbage.ms += duration;
}).observe({ entryTypes: ['gc'] });

const answers = { turns, load, memory, handles };
process.on('message', ({ ask }) => {
  const answer = answers[ask];
  if (answer !== undefined) process.send?.(answer());
});
process.channel?.unref();

function turns() {
  const turn = { longestMs: ticks.max / 1e6, longestCpuMs: longestCpuMicros / 1e3 };
  ticks.reset();
  longestCpuMicros = 0;
  return turn;
}

function threadCpuMicros() {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

function load() {
  const nowMs = performance.now();
  const gcShare = garbage.ms / (nowMs - garbage.sinceMs);
  const tickP99Ms = ticks.percentile(99) / 1e6;
  ticks.reset();
  Object.assign(garbage, { ms: 0, sinceMs: nowMs });
  return { gcShare, tickP99Ms };
}

function memory() {
  // The second collection frees what the first has left to finalizers.
  collect();
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapBytes: heapUsed + external, residentBytes: rss };
}

function handles() {
  return { handles: process.getActiveResourcesInfo().length };
}
