import type { TestProject } from 'vitest/node';
import { Forbidden } from './forbidden.ts';
import { toolsNeededBy } from './needed.ts';
import { doingNow } from './run.ts';
import { ToolMissing } from './tool-missing.ts';
import { type Outcome, toolbox } from './toolbox.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    tools: Readonly<Record<string, Outcome>>;
  }
}

const progressMs = 10_000;

/** Vitest calls it before the first test, with no limit of time: what the chosen test files need is set up in turn. */
export default async function setUp(project: TestProject): Promise<void> {
  const needed = new Set(project.vitest.state.getPaths().flatMap((file) => [...toolsNeededBy(file)]));
  const chosen = Object.entries(toolbox).filter(([name]) => needed.has(name));
  const outcomes = await setUpTools(Object.fromEntries(chosen), (line) => process.stderr.write(`${line}\n`));
  project.provide('tools', outcomes);
}

/** One after the other, since each may keep all cores busy; `say` is told what takes its time, and what is missing. */
export async function setUpTools(
  tools: Readonly<Record<string, () => Promise<unknown>>>,
  say: (line: string) => void,
): Promise<Record<string, Outcome>> {
  const outcomes: Record<string, Outcome> = {};
  for (const [name, find] of Object.entries(tools)) {
    const startedMs = performance.now();
    const seconds = () => Math.round((performance.now() - startedMs) / 1000);
    const ticks = setInterval(
      () => say(`tool ${name}: ${doingNow() ?? 'setting up'} … ${seconds()} s`),
      progressMs,
    );
    try {
      const outcome = await outcomeOf(find);
      outcomes[name] = outcome;
      if (outcome.kind !== 'found') say(`tool ${name}: ${outcome.kind}: ${outcome.reason}`);
      else if (seconds() > 0) say(`tool ${name}: ready after ${seconds()} s`);
    } finally {
      clearInterval(ticks);
    }
  }
  return outcomes;
}

async function outcomeOf(find: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { kind: 'found', tool: await find() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof Forbidden) return { kind: 'forbidden', reason };
    return { kind: error instanceof ToolMissing ? 'missing' : 'failed', reason };
  }
}
