import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { ExternalScaler } from '../../src/grpc/contract.ts';
import type { IsActiveResponse__Output } from '../../src/grpc/generated/externalscaler/IsActiveResponse.ts';
import type { ScaledObjectRef } from '../../src/grpc/generated/externalscaler/ScaledObjectRef.ts';

const limitMs = 5000;
const askEveryMs = 20;

/** One StreamIsActive for each name, held with grpc-js. */
export class Followers {
  private readonly client: InstanceType<typeof ExternalScaler>;
  private readonly references: ReadonlyMap<string, ScaledObjectRef>;
  private readonly waiting = new Map<string, (atMs: number) => void>();

  constructor(address: string, references: ReadonlyMap<string, ScaledObjectRef>) {
    this.client = new ExternalScaler(address, credentials.createInsecure());
    this.references = references;
    for (const [name, reference] of references) this.follow(name, reference);
  }

  private follow(name: string, reference: ScaledObjectRef): void {
    const stream = this.client.StreamIsActive(reference);
    // It ends with the row. A trial that still waits for it then runs into its limit.
    stream.on('error', () => {});
    stream.on('data', ({ result }: IsActiveResponse__Output) => {
      if (result) this.waiting.get(name)?.(performance.now());
    });
  }

  /** Resolves with the time of the next `true`. */
  nextTrue(name: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`${name}: no \`true\` came`)), limitMs);
      this.waiting.set(name, (atMs) => {
        clearTimeout(limit);
        this.waiting.delete(name);
        resolve(atMs);
      });
    });
  }

  /** Resolves when IsActive says `false`, which the stream says only when it opens. */
  async untilInactive(name: string): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (await this.isActive(name)) {
      if (performance.now() > deadline) throw new Error(`${name} stays active`);
      await sleep(askEveryMs);
    }
  }

  private isActive(name: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.client.IsActive(this.references.get(name) ?? {}, (error, answer) => {
        if (error) reject(error);
        else resolve(answer?.result === true);
      });
    });
  }

  close(): void {
    this.client.close();
  }
}
