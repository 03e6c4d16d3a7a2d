import { describe, expect, it } from 'vitest';
import { decide, type KedaSpec, type KedaStep, kedaDefaults } from '../../../src/scaling/keda.ts';

const nowMs = 1_000_000;

interface Row {
  name: string;
  spec?: Partial<KedaSpec>;
  from: number;
  active?: boolean;
  error?: boolean;
  /** Seconds since KEDA last saw activity. Absent if never. */
  quietSeconds?: number;
  ageSeconds?: number;
  to: number;
  because: KedaStep['because'];
  /** Whether the cooldown starts again. */
  marked?: boolean;
}

const active = { active: true };
const error = { error: true };
const idleMode = { idleReplicaCount: 1, minReplicaCount: 3 };

// biome-ignore format: a table reads best with one row a line
const rows: Row[] = [
  { name: 'work, and nobody there', ...active, from: 0, to: 1, because: 'activated', marked: true },
  { name: 'work, and nobody there, minReplicaCount 3', ...active, from: 0, spec: { minReplicaCount: 3 }, to: 3, because: 'activated', marked: true },
  { name: 'work, and somebody there: the HPA decides', ...active, from: 1, to: 1, because: 'active', marked: true },
  { name: 'work, fewer than minReplicaCount: the HPA decides', ...active, from: 1, spec: { minReplicaCount: 3 }, to: 1, because: 'active', marked: true },
  { name: 'work in idle mode', ...active, from: 1, spec: idleMode, to: 3, because: 'activated', marked: true },
  { name: 'work in idle mode, already up', ...active, from: 4, spec: idleMode, to: 4, because: 'active', marked: true },
  { name: 'work, and another trigger fails, at 0', ...active, ...error, from: 0, to: 1, because: 'activated', marked: true },
  { name: 'work, and another trigger fails, above 0: the cooldown is not renewed', ...active, ...error, from: 2, to: 2, because: 'active' },
  { name: 'no work, cooling down', from: 3, quietSeconds: 300, to: 3, because: 'cooldown' },
  { name: 'no work, cooled down', from: 3, quietSeconds: 301, to: 0, because: 'deactivated' },
  { name: 'no work, a cooldownPeriod of one\'s own', from: 3, quietSeconds: 31, spec: { cooldownPeriodSeconds: 30 }, to: 0, because: 'deactivated' },
  { name: 'no work ever seen: no cooldown', from: 3, to: 0, because: 'deactivated' },
  { name: 'no work ever seen, initialCooldownPeriod not over', from: 3, ageSeconds: 60, spec: { initialCooldownPeriodSeconds: 60 }, to: 3, because: 'cooldown' },
  { name: 'no work ever seen, initialCooldownPeriod over', from: 3, ageSeconds: 61, spec: { initialCooldownPeriodSeconds: 60 }, to: 0, because: 'deactivated' },
  { name: 'no work, nobody there', from: 0, to: 0, because: 'idle' },
  { name: 'no work, minReplicaCount: never to zero', from: 3, quietSeconds: 900, spec: { minReplicaCount: 2 }, to: 3, because: 'idle' },
  { name: 'no work, fewer than minReplicaCount', from: 0, spec: { minReplicaCount: 2 }, to: 2, because: 'min' },
  { name: 'no work in idle mode', from: 5, quietSeconds: 301, spec: idleMode, to: 1, because: 'deactivated' },
  { name: 'no work in idle mode, cooling down', from: 5, quietSeconds: 9, spec: idleMode, to: 5, because: 'cooldown' },
  { name: 'no work in idle mode, already idle', from: 1, quietSeconds: 301, spec: idleMode, to: 1, because: 'idle' },
  { name: 'no work in idle mode, fewer than idle', from: 0, spec: idleMode, to: 0, because: 'idle' },
  { name: 'an error at 0', ...error, from: 0, to: 0, because: 'error' },
  { name: 'an error holds the replicas, however long', ...error, from: 3, quietSeconds: 90_000, to: 3, because: 'error' },
  { name: 'an error with a fallback: the metric brings it about', ...error, from: 3, quietSeconds: 900, spec: { fallbackReplicas: 4 }, to: 3, because: 'error' },
  { name: 'an error with a fallback of 0 is like no work', ...error, from: 3, quietSeconds: 900, spec: { fallbackReplicas: 0 }, to: 0, because: 'deactivated' },
];

describe("KEDA's own decision", () => {
  it.each(rows)(
    '$name',
    ({ spec, from, quietSeconds, ageSeconds = 9999, to, because, marked = false, ...row }) => {
      const lastActiveAtMs = quietSeconds === undefined ? undefined : nowMs - quietSeconds * 1000;
      const state = { replicas: from, createdAtMs: nowMs - ageSeconds * 1000, lastActiveAtMs };
      const seen = { isActive: row.active ?? false, isError: row.error ?? false };
      expect(decide({ ...kedaDefaults, ...spec }, state, seen, nowMs)).toEqual({
        replicas: to,
        because,
        lastActiveAtMs: marked ? nowMs : lastActiveAtMs,
      });
    },
  );
});
