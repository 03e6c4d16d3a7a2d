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

/** Called by Vitest before the first test, without a time limit. Sets up everything that the chosen test files need. */
export default async function setUp(project: TestProject): Promise<void> {
  const needed = new Set(project.vitest.state.getPaths().flatMap((file) => [...toolsNeededBy(file)]));
  const chosen = Object.entries(toolbox).filter(([name]) => needed.has(name));
  const outcomes = await setUpTools(Object.fromEntries(chosen), (line) => process.stderr.write(`${line}\n`));
  project.provide('tools', outcomes);
}

/**
 * One tool after the other, because each may use all cores. `say` gets a line about what takes time, and what is
 * missing.
 */
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
