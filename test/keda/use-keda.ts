import { beforeAll, beforeEach, expect, onTestFinished, vi } from 'vitest';
import { buildClient, ClientUnavailable } from './build-client.ts';
import { KedaClient, type KedaTrigger } from './keda-client.ts';

/** A thousand packages on a machine that has none of them. */
const buildLimitMs = 15 * 60_000;

/** No RPC takes this long; KEDA's second and third attempt at a stream come 2 and 6 s after its end. */
const eventuallyMs = 30_000;

/**
 * Gives a function that starts KEDA's client for one test. Where the client cannot be had the tests of the
 * file are skipped and the reason is printed; where `CI` is set they fail.
 */
export function useKeda(): () => KedaClient {
  let program = '';
  let missing: string | undefined;

  beforeAll(async () => {
    try {
      program = await buildClient();
    } catch (error) {
      const inCi = !['', 'false', undefined].includes(process.env['CI']);
      if (inCi || !(error instanceof ClientUnavailable)) throw error;
      missing = error.message;
      console.warn(`skipped, KEDA's client cannot be had: ${missing}`);
    }
  }, buildLimitMs);

  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(missing);
  });

  return () => {
    const keda = new KedaClient(program);
    onTestFinished(() => keda.stop());
    return keda;
  };
}

/** The metadata KEDA needs to reach a server on this machine, with `more`. */
export function addressed(port: number, more: Record<string, string> = {}): KedaTrigger {
  return { metadata: { scalerAddress: `127.0.0.1:${port}`, ...more } };
}

export async function eventually(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: eventuallyMs, interval: 20 });
}

/** How many, when nothing is expected to follow. */
export async function settled(list: readonly unknown[], count: number, quietMs: number): Promise<void> {
  await eventually(() => expect(list.length).toBeGreaterThanOrEqual(count));
  await new Promise((resolve) => setTimeout(resolve, quietMs));
  expect(list).toHaveLength(count);
}
