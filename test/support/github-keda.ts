import { setTimeout } from 'node:timers/promises';
import { status as Code } from '@grpc/grpc-js';
import type { ref, TestClient } from './rpc-client.ts';

/** KEDA's answers for a trigger at one moment: number and activity, or the names of their status codes. */
export interface Answered {
  readonly number: number | string;
  readonly active: boolean | string;
}

/** The two calls of one look at a trigger (KEDA's GetMetricsAndActivity). */
export async function ask(client: TestClient, reference: ReturnType<typeof ref>): Promise<Answered> {
  const number = await client
    .getMetrics(reference, '')
    .then(({ metricValues }) => metricValues[0]?.metricValueFloat ?? Number.NaN, codeOf);
  const active = await client.isActive(reference).then(({ result }) => result, codeOf);
  return { number, active };
}

function codeOf(reason: unknown): string {
  if (typeof reason === 'object' && reason !== null && 'code' in reason && typeof reason.code === 'number')
    return Code[reason.code] ?? String(reason.code);
  throw reason;
}

/** Asks for a trigger over and over, much more often than KEDA does, and keeps the answers. */
export class Polling {
  readonly answers: Answered[] = [];
  private readonly loop: Promise<void>;
  private stopped = false;

  constructor(client: TestClient, reference: ReturnType<typeof ref>) {
    this.loop = this.poll(client, reference);
  }

  /** All answers so far. The last one is new. */
  async stop(): Promise<readonly Answered[]> {
    this.stopped = true;
    await this.loop;
    return this.answers;
  }

  private async poll(client: TestClient, reference: ReturnType<typeof ref>): Promise<void> {
    while (!this.stopped) {
      this.answers.push(await ask(client, reference));
      await setTimeout(20);
    }
    this.answers.push(await ask(client, reference));
  }
}

/** The answers that would remove replicas while this many jobs exist. */
export function tooLow(answers: readonly Answered[], jobs: number): readonly Answered[] {
  return answers.filter(
    ({ number, active }) => active === false || (typeof number === 'number' && number < jobs),
  );
}
