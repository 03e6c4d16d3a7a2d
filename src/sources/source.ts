import type { z } from 'zod';
import type { ScalerError } from '../errors.ts';
import type { ParamsSchema } from '../params/schema.ts';
import type { Logger } from '../telemetry/log.ts';
import type { SourceMetrics } from '../telemetry/metrics.ts';
import type { CloudEventRules, EventFeed, WebhookRules } from './inbound.ts';
import type { Working } from './working.ts';

/*
 * A source is a kind of backlog. It stays naive: it reads, it may watch, and it has pure rules. Schedule, single
 * flight, backoff and history are the subject's (`subjects/`), staleness and leases the trigger's (`triggers/`).
 *
 * Every time in this interface is in ms of the monotonic clock `performance.now()`, if it does not say otherwise.
 */

/** The least length of a secret by which a caller is let in: a shorter one was cut, or can be guessed. */
export const leastSecretLength = 16;

/** What a trigger asks for, as a number. `unknown` is never turned into zero. */
export type Reading =
  | {
      kind: 'known';
      /** The whole backlog, whatever can be done about it. */
      items: number;
      active: boolean;
      useful?: Useful;
      flow?: Flow;
      oldest?: Oldest;
      detail(): Detail;
      /** The parts of `items`, of the same snapshot by the same rules; `explain` prints it. Absent: there are no parts. */
      working?(): Working;
    }
  /** Something is waiting for certain, but how much is not known yet (a ledger before its first sync). */
  | { kind: 'active'; why: string; working?(): Working }
  | { kind: 'unknown'; error: ScalerError };

/** How many replicas can have work: more would be idle. Absent where the source, or the trigger, sets no limit. */
export interface Useful {
  readonly most: number;
  /** Whether their number is to divide `most`, so that all have as much. */
  readonly even?: boolean;
}

/** What has come and gone of the items that are counted, each since an origin that does not matter. */
export interface Flow {
  readonly arrived: number;
  readonly consumed?: number;
  /** How many share the work; absent while that changes, or is not asked for. */
  readonly consumers?: number;
  /** False: some of them have nothing to do for certain. */
  readonly saturated?: boolean;
  /** How many places (partitions) the counts are sums over: when it changes, they cannot be compared. */
  readonly places?: number;
}

/** Since when the oldest item that waits has been waiting; absent where nothing waits, or the source cannot tell. An estimate. */
export interface Oldest {
  readonly sinceMs: number;
  /** It was there when the source first looked, so that it may have been waiting for much longer. */
  readonly atLeast: boolean;
}

/** The older of two; what either may hide, both may. */
export function olderOf(a: Oldest | undefined, b: Oldest | undefined): Oldest | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return { sinceMs: Math.min(a.sinceMs, b.sinceMs), atLeast: a.atLeast || b.atLeast };
}

/** The working behind a number, made when somebody looks, for people: `/api/triggers` and `explain` print it. No secrets, bounded size. */
export type Detail = Readonly<Record<string, string | number | boolean>>;

/**
 * A setting whose value can come from a file, by `<key>File`: a secret, several in a list (`<keys>` by `<key>Files`), or
 * one that may be read in the open. A PEM counts as open: a private key is known by its text.
 */
export type FromFile = 'secret' | 'secrets' | 'open';

/** The cells of a source in tables of all sources in `docs/`. Markdown. */
export interface About {
  /** What its number is. */
  readonly measures: string;
  /** How old a reading `maxStalenessSeconds` may ask for at least. */
  readonly leastStaleness: string;
  /** What the subject of a hint is. */
  readonly hint: string;
  /** Where the scaler must get to, for rules of egress. Plain text, as the chart prints it too. */
  readonly reaches: string;
  /** What is known after a restart, and when. */
  readonly afterRestart: string;
  /** From when on an item counts as waiting, and by how much its age can be too small. */
  readonly oldest: { readonly since: string; readonly tooSmallBy: string };
  /** How a ScaledJob counts, by its strategy. */
  readonly jobs: { readonly default: string; readonly accurate: string };
}

/** Where a connection measures, as plain JSON. Credentials, limits and times are no part of it. */
export interface Place {
  /** Servers, an owner, a region: connections with one of these in common measure the same upstream. */
  readonly addresses: readonly unknown[];
  /** Which part of it: a domain, an account, repositories, a mapping. Absent: all of it. */
  readonly part?: unknown;
}

/** The target of the HPA. */
export interface Target {
  /** Items one replica is good for. */
  perReplica: number;
  /** Active when items are strictly more than this. */
  activation: number;
  /** The parts that make the metric's name, never thresholds. */
  nameParts: readonly string[];
}

/** A key of KEDA's built-in scaler that belongs to the connection: it selects one, or must agree with it. */
export interface ConnectionKey<C> {
  doc: string;
  /** True: without `connection`, this key picks the connection. */
  selects: boolean;
  /** Whether its value lets somebody in: a password, a token, a private key. */
  secret?: boolean;
  /** The most characters of a value that is compared. 1024 by default. */
  most?: number;
  /** Whether the connection has this setting with this value. Absent: the key is accepted and ignored. */
  agrees?(config: C, value: string): boolean;
  /** The value that would agree, for the error: KEDA's spelling can differ from ours. Absent: the error names none. */
  expected?(config: C): string;
}

/** What is measured once and shared: equal `key` means one subject. */
export interface SubjectRef<N> {
  key: string;
  /** The names that hints use for it: its topics, queue or repositories. */
  hintNames: readonly string[];
  /** What this trigger needs of the subject (repositories of an owner); merged over live triggers. */
  need: N;
}

export interface Subject<N> {
  key: string;
  /** The distinct needs of the triggers that are alive now. */
  needs: readonly N[];
  /** The smallest limit on staleness among its triggers: a ledger reconciles at least twice within it. */
  maxStalenessMs?: number;
}

export interface Delivered<S> {
  snapshot: S;
  /** When the source last confirmed it, if that is not now (a ledger: its last completed reconcile). */
  confirmedAtMs?: number;
}

export type Deliver<S> = (key: string, result: Delivered<S> | ScalerError) => void;

/** Wakes a subject: look now. `cause` is a short constant, it becomes a metric label. */
export type Wake = (cause: string) => void;

export type WatchState = 'none' | 'arming' | 'armed' | 'refused';

/** A long-lived look at a quiet subject's end. It wakes once, and its subject then closes it. */
export interface Watch {
  readonly state: Exclude<WatchState, 'none'>;
  /** When the source last answered that nothing has happened. */
  readonly confirmedAtMs: number | undefined;
  close(): void;
}

export interface SubjectView<S, H> {
  snapshot: S;
  history: H;
  nowMs: number;
  takenAtMs: number;
  lastHintAtMs: number | undefined;
}

export interface TriggerView<S, H> extends SubjectView<S, H> {
  /** The trigger's own state before this reading; undefined after a start. */
  wasActive: boolean | undefined;
}

export interface PaceView<S, H> extends SubjectView<S, H> {
  /** Whether any of the subject's triggers is active. */
  active: boolean;
  watch: WatchState;
}

/** How a subject goes on after a read. */
export interface Pace {
  nextReadMs: number;
  /** Whether the subject is to be watched. */
  watch: boolean;
}

/**
 * The pods of the scaler that have the same connection. One of them at a time may act for all: it has the lease. A pod
 * that is cut off from the others has it no longer before another can have it.
 */
export interface Peers {
  /** Aborted when this pod may no longer act for all. Undefined while it may not. */
  readonly term: AbortSignal | undefined;
  /**
   * The answer of the pod with the lease, as plain JSON. Undefined means that the lease may have moved. Rejects with
   * ScalerError: the error of that pod, or `unavailable` if no pod answers.
   */
  ask(question: unknown, signal: AbortSignal): Promise<unknown>;
  /**
   * This pod, with the lease, has asked the upstream. `fault` is why it was not answered. A pod that is not answered for
   * long gives the lease up.
   */
  asked(fault: ScalerError | undefined): void;
  /** Tells all others, as plain JSON; it may be lost. */
  tell(news: unknown): void;
  /** Gives the lease back. Never rejects. */
  close(): Promise<void>;
}

/** What a connection does for its peers. What comes from them may be of another version. */
export interface PeerDuties {
  /** Another pod asks. Called only while this one has the lease. `signal` is aborted when it loses the lease. */
  answer(question: unknown, signal: AbortSignal): Promise<unknown>;
  hear(news: unknown): void;
  /** This pod has the lease now, or has it no longer. */
  changed(): void;
}

export interface ConnectionDeps {
  name: string;
  /** Verified events for this connection. */
  events: EventFeed;
  log: Logger;
  metrics: SourceMetrics;
  /** For a source of which one pod at a time does the work. Absent: there is only one pod. To be closed with the connection. */
  peers?: ((duties: PeerDuties) => Peers) | undefined;
  /** Wakes a subject from the connection's side (a ledger took an event). Unknown keys are ignored. */
  wake(key: string, cause: string): void;
  /**
   * Says that a subject has turned out to be what another one is for: its triggers go there, and are read with that.
   * False: there is no such subject.
   */
  same(key: string, as: SubjectRef<unknown>): boolean;
}

export interface Asks {
  /** Readings are to say how many consumers there are. */
  readonly consumers: boolean;
}

export interface Connection<P, S, N> {
  /** `asks`: what the trigger wants to know beyond its backlog, of a source that `learnsReplicaRate`. */
  subject(params: P, asks?: Asks): SubjectRef<N>;
  /** Reads many subjects in as few requests as can be; each is delivered, once, when it is there. */
  read(subjects: readonly Subject<N>[], deliver: Deliver<S>, signal: AbortSignal): Promise<void>;
  /** Watches from exactly where the snapshot ends, so that nothing falls between. */
  arm?(subject: Subject<N>, from: S, wake: Wake): Watch;
  /** Resolves when a ledger has been filled for the first time; readiness waits for it. */
  firstSync?(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** The manifest of a source: everything that the rest, the chart and the docs know of it (`npm run docs`). */
export interface Source<P, C, S, H, N = undefined> {
  readonly kind: string;
  readonly about: About;
  readonly params: ParamsSchema<P>;
  /** How old a reading of this source may be, where that is not the configured limit (a ledger's ages slowly). */
  readonly maxStalenessSeconds?: number;
  /** How many requests the upstream usually grants in an hour, where it counts them: below a tenth an alert fires. */
  readonly requestsAnHour?: number;
  /** The parameter that `target` makes what one replica is good for of; nothing looks at it under `policy: drain`. */
  readonly threshold?: string;
  /** Whether its readings can say what consumers work off and how many they are, so that `replicaRate` can be `learn`. */
  readonly learnsReplicaRate?: boolean;
  /** The source's entry under `connections:` in the configuration. */
  readonly config: z.ZodType<C>;
  /** The settings that can come from files, by their keys, in whatever depth. */
  readonly files?: Readonly<Record<string, FromFile>>;
  readonly connectionKeys: Readonly<Record<string, ConnectionKey<C>>>;
  /**
   * Where the connection measures. A reading is one of the same place as long as this is equal. `validate` also compares
   * connections some of whose settings cannot be read, such as secrets that are elsewhere.
   */
  place(config: C | Partial<C>): Place;
  /** The settings, by their top-level keys, that the upstream never sees: when only they change, the connection stays open. */
  readonly local?: readonly string[];
  /** Whether the connection would send a password or token over a network connection without TLS. */
  sendsSecretInPlaintext?(config: C): boolean;
  /** For a ledger that is filled by signed webhooks. */
  readonly webhooks?: WebhookRules<C>;
  /** For a ledger that is filled by CloudEvents; for every other source they are hints. */
  readonly cloudEvents?: CloudEventRules<C>;
  /** The SNS topics that may wake the connection, by ARN. */
  snsTopics?(config: C): readonly string[];
  /** The least time between two reads of a subject, whatever wakes it. 0: reads cost the upstream nothing. */
  minReadMs(config: C): number;
  /**
   * Where each subject is a request of its own: reads of the clock are spread over time. Else they fall on a common
   * beat, so that those which are due go out together.
   */
  readonly readsAlone?: boolean;
  /**
   * The least `maxStalenessSeconds` that a trigger may ask for: below it a healthy source would look stale, or reads for
   * one trigger would take from the limit that all share. Absent: any. Pure.
   */
  leastStalenessSeconds?(params: P, config: C): number;
  /** The fault of a trigger on this connection, beside its connection keys, or undefined. Pure. */
  conflict?(params: P, config: C): string | undefined;
  /** What is allowed of a trigger, and probably not meant; `validate` warns. Each begins with the key it is about. Pure. */
  doubts?(params: P, around: Around<C>): readonly string[];
  /** Where each item needs only one worker. Absent: two triggers may well count the same. */
  readonly shared?: SharedItems<P, C>;
  connect(config: C, deps: ConnectionDeps): Connection<P, S, N>;
  /** Takes a snapshot into the subject's bounded history. Pure. */
  fold(history: H | undefined, snapshot: S, takenAtMs: number): H;
  /** What people are to know of what the history shows; it is logged once, as long as it stays the same. Pure. */
  caution?(history: H): string | undefined;
  /** The trigger's reading of a snapshot. Pure. */
  evaluate(params: P, view: TriggerView<S, H>): Reading;
  /** When to read next, and whether to watch meanwhile. Pure. */
  pace(config: C, view: PaceView<S, H>): Pace;
  /** The target of the HPA. Pure. */
  target(params: P, config: C): Target;
}

/** A container's variables, as far as files say them. */
export interface Environment {
  /** Undefined where only the cluster knows the value. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Whether there may be more, by `envFrom`. */
  readonly isOpen: boolean;
}

/** What `validate` knows around a trigger. */
export interface Around<C> {
  /** Of its connection, as far as its settings can be used here; undefined where it is not known. */
  readonly config: C | Partial<C> | undefined;
  /** The connections of this source that the trigger could name instead. */
  readonly others: readonly { readonly name: string; readonly config: C | Partial<C> }[];
  /** Of each container of its workload, where the files have it. */
  readonly environments: readonly Environment[];
  /** Whether each item starts a pod of its own, in a ScaledJob. */
  readonly isJob: boolean;
}

/** Items that two triggers of one connection should not both count; `validate` warns. */
export interface SharedItems<P, C> {
  /** What they are, as `jobs`. */
  readonly items: string;
  /** What comes of it, and what to do. */
  readonly so: string;
  /** Whether both count some of the same. `config` is undefined where only the triggers are known. Pure. */
  areCountedBy(a: P, b: P, config: C | undefined): boolean;
}

/**
 * A source whose types are not known here. Methods are bivariant, so every `Source` is one; only values that
 * came out of the same source are ever handed back to it.
 */
export type AnySource = Source<unknown, unknown, unknown, unknown, unknown>;
export type AnyConnection = Connection<unknown, unknown, unknown>;

/** As much of a connection as can be known without its secrets. */
export interface NamedConnection {
  readonly name: string;
  readonly source: AnySource;
  /** Namespace patterns that may use it; `*` stands for any run of characters. */
  readonly namespaces: readonly string[];
  /** The source's own settings, as far as they can be used without secrets. Never logged. */
  readonly config: unknown;
}

/** A named, configured place of a source, as the configuration has it. */
export interface ConfiguredConnection extends NamedConnection {
  /** The source's own settings, secrets resolved. Never logged. */
  readonly config: unknown;
  /** Equal while nothing that the upstream sees has changed. Otherwise the connection is opened again. Contains no secret. */
  readonly fingerprint: string;
  /** What is measured there: as long as it is equal, a reading of before is one of the same place. */
  readonly place: string;
}
