import { expect, onTestFinished, vi } from 'vitest';
import { tool, useTool } from '../support/tools/use-tool.ts';
import { KedaClient, type KedaTrigger } from './keda-client.ts';

/** No RPC takes this long. KEDA's second and third attempt at a stream come 2 and 6 s after its end. */
const eventuallyMs = 30_000;

/** Returns a function that starts KEDA's client for one test. Needs Go, see `useTool`. */
export function useKeda(): () => KedaClient {
  const program = useTool(() => tool('keda-client'));
  return () => {
    const keda = new KedaClient(program());
    onTestFinished(() => keda.stop());
    return keda;
  };
}

/** The metadata that KEDA needs to reach a server on this machine, with `more`. */
export function addressed(port: number, more: Record<string, string> = {}): KedaTrigger {
  return { metadata: { scalerAddress: `127.0.0.1:${port}`, ...more } };
}

export async function eventually(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: eventuallyMs, interval: 20 });
}

/** Resolves when the list has this many members, and no more come for a while. */
export async function settled(list: readonly unknown[], count: number, quietMs: number): Promise<void> {
  await eventually(() => expect(list.length).toBeGreaterThanOrEqual(count));
  await new Promise((resolve) => setTimeout(resolve, quietMs));
  expect(list).toHaveLength(count);
}
