import { credentials } from '@grpc/grpc-js';
import { ExternalScaler } from '../../src/grpc/contract.ts';
import type { IsActiveResponse__Output } from '../../src/grpc/generated/externalscaler/IsActiveResponse.ts';
import type { ScaledObjectRef } from '../../src/grpc/generated/externalscaler/ScaledObjectRef.ts';

const limitMs = 5000;

/** One StreamIsActive for each name, held with the library that the scaler's users have. */
export class Followers {
  private readonly client: InstanceType<typeof ExternalScaler>;
  private readonly waiting = new Map<string, (atMs: number) => void>();

  constructor(address: string, references: ReadonlyMap<string, ScaledObjectRef>) {
    this.client = new ExternalScaler(address, credentials.createInsecure());
    for (const [name, reference] of references) this.follow(name, reference);
  }

  private follow(name: string, reference: ScaledObjectRef): void {
    const stream = this.client.StreamIsActive(reference);
    // It ends when the row does; a trial that waits for it then runs into its limit.
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

  close(): void {
    this.client.close();
  }
}
