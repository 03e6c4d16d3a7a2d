import { ScalerError } from '../../src/errors.ts';
import type { LiveTrigger, LiveTriggers } from '../../src/grpc/service.ts';
import type { Activity, Spec } from '../../src/triggers/followers.ts';
import type { Answer } from '../../src/triggers/measurement.ts';
import type { Reference } from '../../src/triggers/reference.ts';

type State = Answer | ScalerError;
type Told<T> = (what: T) => void;

/** Triggers whose answers are set by hand, by the name of their ScaledObject. Nothing is parsed or read. */
export class FakeTriggers implements LiveTriggers {
  private readonly states = new Map<string, State>();
  private readonly refused = new Map<string, ScalerError>();
  private readonly targets = new Map<string, number>();
  private readonly told = new Map<string, Set<Told<Activity>>>();
  private readonly toldSpec = new Map<string, Set<Told<Spec>>>();
  private readonly waiting = new Set<() => void>();
  /** How many calls to `answer` were given up by their caller. */
  abandoned = 0;

  /** Followers of activity. */
  get followers(): number {
    return sizeOf(this.told);
  }

  get specFollowers(): number {
    return sizeOf(this.toldSpec);
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
    this.set(name, { kind: 'known', value, active });
  }

  refuse(name: string, error: ScalerError): void {
    this.refused.set(name, error);
  }

  /** Sets another target than the reference has, as after a reload. */
  retarget(name: string, perReplica: number): void {
    this.targets.set(name, perReplica);
    for (const told of this.toldSpec.get(name) ?? []) told(specOf(name, perReplica));
  }

  trigger({ namespace, name, metadata }: Reference): LiveTrigger {
    const refused = this.refused.get(name);
    if (refused) throw refused;
    const spec = specOf(name, this.targets.get(name) ?? Number(metadata['target'] ?? 10));
    return {
      label: `fake trigger of ${namespace}/${name}`,
      spec,
      answer: ({ signal }) => this.answer(name, signal),
      looked: () => {},
      checked: () => {},
      follow: (told) => this.follow(name, told),
      followSpec: (told) => {
        const unfollow = add(this.toldSpec, name, told);
        told(spec);
        return unfollow;
      },
    };
  }

  follow(name: string, told: Told<Activity>): () => void {
    const unfollow = add(this.told, name, told);
    const active = isActive(this.states.get(name));
    if (active !== undefined) told({ active, edge: false });
    return unfollow;
  }

  /** A cold trigger waits until its answer is set, or its caller is gone. */
  private async answer(name: string, signal: AbortSignal): Promise<Answer> {
    if (!this.states.has(name)) await this.becomesKnown(name, signal);
    const state = this.states.get(name);
    if (state === undefined) throw new ScalerError('unavailable', `${name}: never read`);
    if (state instanceof ScalerError) throw state;
    return state;
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

function specOf(name: string, perReplica: number): Spec {
  return { metricName: `fake-${name}`, target: { perReplica } };
}

function add<T>(all: Map<string, Set<T>>, name: string, one: T): () => void {
  const some = all.get(name) ?? new Set();
  all.set(name, some.add(one));
  return () => void some.delete(one);
}

function sizeOf(all: ReadonlyMap<string, ReadonlySet<unknown>>): number {
  return [...all.values()].reduce((sum, { size }) => sum + size, 0);
}

function isActive(state: State | undefined): boolean | undefined {
  if (state === undefined || state instanceof ScalerError) return undefined;
  return state.active;
}
