import { z } from 'zod';
import { ScalerError } from '../../src/errors.ts';
import type { Activity, Answer, Desk, Waiting } from '../../src/grpc/desk.ts';
import type { AnySource } from '../../src/sources/source.ts';
import type { Reference, Trigger } from '../../src/trigger/trigger.ts';

type Told = (activity: Activity) => void;
type State = Answer | ScalerError;

/** A desk whose answers are set by hand, one for each trigger name. It knows nothing of parsing or reading. */
export class FakeDesk implements Desk {
  private readonly states = new Map<string, State>();
  private readonly refused = new Map<string, ScalerError>();
  private readonly told = new Map<string, Set<Told>>();
  private readonly waiting = new Set<() => void>();
  /** How many calls to `answer` were given up by their caller. */
  abandoned = 0;

  get followers(): number {
    return [...this.told.values()].reduce((sum, { size }) => sum + size, 0);
  }

  get waiters(): number {
    return this.waiting.size;
  }

  set(name: string, state: State): void {
    const was = isActive(this.states.get(name));
    this.states.set(name, state);
    const active = isActive(state);
    if (active !== undefined && active !== was) {
      for (const told of this.told.get(name) ?? []) told({ active, edge: active });
    }
    for (const look of [...this.waiting]) look();
  }

  known(name: string, value: number, active = value > 0): void {
    this.set(name, { kind: 'known', value, active, ageMs: 0 });
  }

  refuse(name: string, error: ScalerError): void {
    this.refused.set(name, error);
  }

  trigger(reference: Reference): Trigger {
    const refused = this.refused.get(reference.name);
    if (refused) throw refused;
    const { name, namespace, metadata } = reference;
    const target = { perReplica: Number(metadata['target'] ?? 10), activation: 0, nameParts: [name] };
    const connection = {
      name: 'fake',
      source,
      config: {},
      namespaces: ['*'],
      fingerprint: 'fake',
      place: 'fake',
    };
    const params = undefined;
    return {
      id: `${namespace}/${name}`,
      reference,
      source,
      connection,
      params,
      paramsKey: '',
      target,
      metricName: `fake-${name}`,
      maxStalenessMs: 60_000,
    };
  }

  /** A cold trigger waits until it is set, or its caller has gone. */
  async answer({ reference: { name } }: Trigger, { signal }: Waiting): Promise<Answer> {
    if (!this.states.has(name)) await this.becomesKnown(name, signal);
    const state = this.states.get(name);
    if (state === undefined) throw new ScalerError('unavailable', `${name}: never read`);
    if (state instanceof ScalerError) throw state;
    return state;
  }

  follow({ reference: { name } }: Trigger, told: Told): () => void {
    const followers = this.told.get(name) ?? new Set();
    this.told.set(name, followers.add(told));
    const active = isActive(this.states.get(name));
    if (active !== undefined) told({ active, edge: false });
    return () => followers.delete(told);
  }

  private becomesKnown(name: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (signal.aborted) this.abandoned += 1;
        else if (!this.states.has(name)) return;
        this.waiting.delete(look);
        signal.removeEventListener('abort', look);
        resolve();
      };
      this.waiting.add(look);
      signal.addEventListener('abort', look);
    });
  }
}

function isActive(state: State | undefined): boolean | undefined {
  if (state === undefined || state instanceof ScalerError) return undefined;
  return state.kind === 'active' || state.active;
}

const unused = (): never => {
  throw new Error('a FakeDesk has no source');
};

const source: AnySource = {
  kind: 'fake',
  params: { table: {}, rules: [] },
  config: z.unknown(),
  connectionKeys: {},
  place: unused,
  minReadMs: unused,
  connect: unused,
  fold: unused,
  evaluate: unused,
  pace: unused,
  target: unused,
};
