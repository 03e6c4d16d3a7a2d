import { randomUUID } from 'node:crypto';
import type { Happening } from '../happening.ts';
import { type Delivery, DeliveryLog } from './delivery-log.ts';
import type { Hook, HookOptions } from './hook.ts';
import { Mishaps } from './mishaps.ts';
import type { Outcome, Parcel } from './parcel.ts';
import { Postman } from './postman.ts';

/** How many events can be delivered again. Older ones are forgotten. */
const maxRemembered = 100_000;

/** For a delayed delivery, also since when it waited. */
type How = Pick<Delivery, 'redelivery' | 'throttledAtMs'>;
const first: How = { redelivery: false, throttledAtMs: undefined };

interface Setting {
  now(): number;
  body(happening: Happening, hook: Hook): object;
  ping(hook: Hook): object;
  defaultOf: Hook['of'];
  targetIdOf(of: Hook['of']): number;
}

/** Sends every event to every hook. A failed delivery is never repeated by itself. */
export class Hooks {
  readonly log = new DeliveryLog(maxRemembered);
  readonly mishaps = new Mishaps();
  private readonly setting: Setting;
  private readonly postman = new Postman();
  private readonly hooks: Hook[] = [];
  private readonly remembered = new Map<string, Parcel>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly idle: (() => void)[] = [];
  private held: Parcel[] | undefined;
  private underWay = 0;
  private closed = false;
  private lastHookId = 480_000_000;

  constructor(setting: Setting) {
    this.setting = setting;
  }

  add(options: HookOptions): Hook {
    const of = options.of ?? this.setting.defaultOf;
    const hook: Hook = {
      id: ++this.lastHookId,
      events: ['workflow_job', 'workflow_run'],
      contentType: 'json',
      of,
      targetId: this.setting.targetIdOf(of),
      ...options,
    };
    this.hooks.push(hook);
    return hook;
  }

  remove(hook: Hook): void {
    this.hooks.splice(this.hooks.indexOf(hook), 1);
  }

  tell(happening: Happening): void {
    const { repo } = happening;
    const parcel: Parcel = {
      guid: randomUUID(),
      event: happening.event,
      action: happening.action,
      installationId: repo.owner.installationId ?? null,
      repositoryId: repo.id,
      happening,
      body: (hook) => this.setting.body(happening, hook),
    };
    this.remember(parcel);
    const loss = this.mishaps.lossOf(happening);
    if (loss !== undefined) this.lose(parcel, loss.statusCode);
    else if (this.held !== undefined) this.held.push(parcel);
    else this.dispatchAfter(this.mishaps.waitMs(happening), parcel);
  }

  ping(hook: Hook): void {
    const parcel = {
      guid: randomUUID(),
      event: 'ping',
      action: null,
      installationId: null,
      repositoryId: null,
      happening: undefined,
      body: this.setting.ping,
    };
    this.remember(parcel);
    this.attempt(hook, parcel, first);
  }

  /** Sends to all hooks, or to one. Throws if the GUID is unknown. */
  redeliver(guid: string, hook?: Hook): void {
    const parcel = this.remembered.get(guid);
    if (parcel === undefined) throw new Error(`There was no delivery ${guid}.`);
    const again = { redelivery: true, throttledAtMs: undefined };
    if (hook === undefined) this.dispatch(parcel, again);
    else this.attempt(hook, parcel, again);
  }

  /** The GUIDs of events, oldest first. */
  guids(which: (happening: Happening) => boolean): string[] {
    const parcels = [...this.remembered.values()];
    return parcels
      .filter(({ happening }) => happening !== undefined && which(happening))
      .map(({ guid }) => guid);
  }

  hold(): void {
    this.held ??= [];
  }

  /** Sends the held events, in the order that `order` gives them. */
  release(order: <T>(items: T[]) => T[]): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const parcel of order(held)) this.dispatch(parcel, first);
  }

  /** Resolves when no delivery is under way. Held events do not count. */
  delivered(): Promise<void> {
    if (this.underWay === 0 || this.closed) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  close(): void {
    this.closed = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.postman.close();
    for (const resolve of this.idle.splice(0)) resolve();
  }

  private remember(parcel: Parcel): void {
    this.remembered.set(parcel.guid, parcel);
    if (this.remembered.size <= maxRemembered) return;
    const [oldest] = this.remembered.keys();
    if (oldest !== undefined) this.remembered.delete(oldest);
  }

  private lose(parcel: Parcel, statusCode: number | undefined): void {
    if (statusCode === undefined) return;
    const status = statusCode === 504 ? 'timed out' : 'failed to connect';
    for (const hook of this.wanting(parcel))
      this.record(hook, parcel, first, { statusCode, status, durationSeconds: 0.1 });
  }

  private dispatch(parcel: Parcel, how: How): void {
    for (const hook of this.wanting(parcel)) this.attempt(hook, parcel, how);
  }

  private wanting(parcel: Parcel): Hook[] {
    return this.hooks.filter(({ events }) => events.includes(parcel.event) || events.includes('*'));
  }

  private attempt(hook: Hook, parcel: Parcel, how: How): void {
    this.underWay++;
    const done = (outcome: Outcome): void => {
      this.record(hook, parcel, how, outcome);
      this.settled();
    };
    this.postman.send({ hook, parcel, done });
  }

  private record(hook: Hook, parcel: Parcel, how: How, outcome: Outcome): void {
    this.log.add({ ...outcome, ...how, hook, parcel, deliveredAtMs: this.setting.now() });
  }

  private dispatchAfter(ms: number, parcel: Parcel): void {
    if (ms <= 0) {
      this.dispatch(parcel, first);
      return;
    }
    this.underWay++;
    const throttledAtMs = this.setting.now();
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.dispatch(parcel, { redelivery: false, throttledAtMs });
      this.settled();
    }, ms);
    this.timers.add(timer);
  }

  private settled(): void {
    this.underWay--;
    if (this.underWay === 0) for (const resolve of this.idle.splice(0)) resolve();
  }
}
