import { fileURLToPath } from 'node:url';
import { NodeProcess } from './child-process.ts';

const program = fileURLToPath(new URL('./keda-way.ts', import.meta.url));

/**
 * How often KEDA evaluates a trigger by default: at each poll (30 s), and while the workload runs also for each read of
 * the HPA (15 s).
 */
export const evaluationsAMinute = { quiet: 2, active: 6 } as const;

/** Starts keda-way.ts. Resolves when each of its clients is connected and has polled once. */
export async function startKedaWay(
  bootstrapServer: string,
  topics: { stem: string; count: number; partitions: number },
): Promise<NodeProcess> {
  const { stem, count, partitions } = topics;
  const child = new NodeProcess([program, bootstrapServer, stem, String(count), String(partitions)]);
  await child.until((line) => line === 'polling');
  return child;
}
