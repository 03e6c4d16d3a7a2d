import type { ScaledObjectRef } from '../../src/grpc/generated/externalscaler/ScaledObjectRef.ts';

/** The owner of all repositories in the bench, and the name of its one connection. */
export const owner = 'acme';
export const connection = 'ci';

/** Pools of runners, each with its own label beside the default ones. */
export function pools(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `pool-${index}`);
}

/** The labels of a job that only this pool can run. */
export function labelsFor(pool: string): string[] {
  return ['self-hosted', 'linux', 'x64', pool];
}

/** The ScaledObject of a pool's runners. */
export function runners(pool: string, metadata: Record<string, string> = {}): ScaledObjectRef {
  return {
    name: `runners-${pool}`,
    namespace: 'ci',
    scalerMetadata: { source: 'github', connection, owner, runnerScope: 'org', labels: pool, ...metadata },
  };
}
