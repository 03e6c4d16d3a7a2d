import { credentials } from '@grpc/grpc-js';
import { ExternalScaler } from '../../dist/grpc/contract.js';
import type { IsActiveResponse__Output } from '../../dist/grpc/generated/externalscaler/IsActiveResponse.js';
import type { ScaledObjectRef } from '../../dist/grpc/generated/externalscaler/ScaledObjectRef.js';

const limitMs = 5000;

/** One StreamIsActive for each name, held with the library that the scaler's users have. */
export class Followers {
  private readonly client: InstanceType<typeof ExternalScaler>;
  private readonly waiting = new Map<string, { readonly active: boolean; told(atMs: number): void }>();

  constructor(address: string, references: ReadonlyMap<string, ScaledObjectRef>) {
    this.client = new ExternalScaler(address, credentials.createInsecure());
    for (const [name, reference] of references) this.follow(name, reference);
  }

  private follow(name: string, reference: ScaledObjectRef): void {
    const stream = this.client.StreamIsActive(reference);
    // It ends when the row does; a trial that waits for it then runs into its limit.
    stream.on('error', () => {});
    stream.on('data', ({ result }: IsActiveResponse__Output) => {
      const waiting = this.waiting.get(name);
      if (waiting?.active === result) waiting.told(performance.now());
    });
  }

  /** Resolves with the time of the next `true`. */
  nextTrue(name: string): Promise<number> {
    return this.next(name, true);
  }

  /** Resolves with the time of the next message that says this. One at a time may wait for each name. */
  next(name: string, active: boolean): Promise<number> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`${name}: no \`${active}\` came`)), limitMs);
      const told = (atMs: number) => {
        clearTimeout(limit);
        this.waiting.delete(name);
        resolve(atMs);
      };
      this.waiting.set(name, { active, told });
    });
  }

  close(): void {
    this.client.close();
  }
}
