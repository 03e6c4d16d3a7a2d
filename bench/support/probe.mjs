import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/*
 * Preloaded into a process under measurement (`node --import`); it answers what `NodeProcess.ask` asks. The process
 * does not stay alive for it.
 *
 * `turns`: the longest turn of the event loop since it was last asked: the CPU that the loop's thread took between two
 * ticks of a timer of 1 ms, its garbage collections included. And the longest time between two ticks by the clock: the
 * loop was then busy for so long, or, where other programs want the cores, was not run.
 * `load`: since it was last asked: the part of the time that went into collecting garbage, and how late ticks of that
 * timer were, at the 99th percentile.
 * `memory`: what the heap holds after full collections, with buffers outside of it, and the resident memory then.
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
  // What the first leaves to finalizers goes in the second.
  collect();
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapBytes: heapUsed + external, residentBytes: rss };
}

function handles() {
  return { handles: process.getActiveResourcesInfo().length };
}
