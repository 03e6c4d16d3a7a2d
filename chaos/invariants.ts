/*
 * Checks what must hold whatever is broken. It has no clock, input or output. It gets the true size of each backlog,
 * what is broken and when, and every answer. It reports what was wrong. Times are ms of one monotonic clock.
 *
 * The truth is a range, because an unanswered write may or may not have happened: it began at one time and is known at a
 * later one. An answer is wrong only if no moment of its window allows it.
 */

/** A backlog, and how late an answer to its trigger may be. */
export interface Subject {
  readonly name: string;
  /** While nothing is broken, and after healing. */
  readonly boundMs: number;
  /** While something is broken: the trigger's `maxStalenessSeconds`. After that a number is wrong. */
  readonly maxStalenessMs: number;
}

/** The least and the most items that there may be. */
export interface Truth {
  readonly least: number;
  readonly most: number;
}

export type Said =
  | { readonly kind: 'number'; readonly items: number }
  | { readonly kind: 'activity'; readonly active: boolean }
  | { readonly kind: 'error'; readonly message: string };

export interface Answer {
  readonly subject: string;
  /** The call. Failures of the same call in a row are one outage. */
  readonly call: string;
  readonly askedMs: number;
  readonly answeredMs: number;
  readonly said: Said;
}

export const rules = [
  'zero for a backlog that is not',
  'wrong number',
  'no answer though nothing is broken',
  'calls fail for too long',
  'lost edge',
  'a process has ended',
  'nothing to judge',
  'not flat',
] as const;

export interface Breach {
  readonly rule: (typeof rules)[number];
  readonly atMs: number;
  /** The backlog or the process. */
  readonly about: string;
  /** What was answered, and what would have been right. */
  readonly detail: string;
  /** How often this happened to the same subject. The other fields are about the first time. */
  times: number;
}

/** Answers are delayed by their own duration, and by the time in which the machine was too busy. */
const rememberedMs = 120_000;

/**
 * What is not held against the scaler while something that it depends on does not work. `numbers of what wakes`: a backlog
 * that was empty may be active without a number. Numbers are always judged.
 */
export type Excuse = 'nothing' | 'numbers of what wakes' | 'all';

/** The results of a run so far. */
export interface Tally {
  readonly answers: number;
  /** How many of these had no number. */
  readonly errors: number;
  readonly edges: number;
  /** How many errors came while calls were excused. */
  readonly excused: number;
  /** From healing to the first right answer, the longest of all backlogs and all times. */
  readonly slowestAfterHealingMs: number;
}

export class Invariants {
  readonly breaches: Breach[] = [];
  private readonly backlogs = new Map<string, Backlog>();
  private readonly failForMs: number | undefined;
  private readonly heard: (breach: Breach) => void;
  /** Since when nothing is broken. Undefined while something is. Before the first healing nothing was promised. */
  private calmSinceMs: number | undefined;
  /** When the machine was too busy, as far back as windows reach. */
  private readonly starvedAtMs: number[] = [];
  private answers = 0;
  private errors = 0;
  private edges = 0;
  private excused = 0;
  private excuses: Excuse = 'nothing';
  private slowestAfterHealingMs = 0;

  /**
   * `failForMs` is how long calls may fail, whatever is broken. By default, as long as it is broken. `heard` gets each
   * breach.
   */
  constructor({
    failForMs,
    heard = () => {},
  }: { failForMs?: number; heard?: (breach: Breach) => void } = {}) {
    this.failForMs = failForMs;
    this.heard = heard;
  }

  /** A new backlog is empty. */
  add(subject: Subject, atMs: number): void {
    const backlog = new Backlog(subject);
    backlog.becomes(atMs, { least: 0, most: 0 }, this.calmSinceMs);
    this.backlogs.set(subject.name, backlog);
  }

  /** No trigger needs it any longer. */
  remove({ name }: Subject): void {
    this.backlogs.delete(name);
  }

  /** The backlogs without a number so far. */
  get withoutNumber(): string[] {
    return [...this.backlogs.values()]
      .filter(({ numbers }) => numbers === 0)
      .map(({ subject }) => subject.name);
  }

  get tally(): Tally {
    const { answers, errors, edges, excused, slowestAfterHealingMs } = this;
    return { answers, errors, edges, excused, slowestAfterHealingMs };
  }

  /** The truth from now on. */
  truth(subject: string, atMs: number, truth: Truth): void {
    const backlog = this.of(subject);
    if (backlog.becomes(atMs, truth, this.calmSinceMs)) this.edges++;
  }

  /** Something is broken from now on. */
  broken(atMs: number): void {
    for (const backlog of this.backlogs.values()) backlog.sawZero(atMs, this.calmSinceMs);
    this.calmSinceMs = undefined;
  }

  /**
   * Nothing is broken any longer. Something that must come back by itself has `graceMs` beside the bound of each
   * backlog.
   */
  healed(atMs: number, graceMs = 0): void {
    this.calmSinceMs = atMs + graceMs;
    for (const backlog of this.backlogs.values()) backlog.healedAtMs = atMs;
  }

  /**
   * Until now the machine was too busy for one of the processes. Nobody is to blame for the effects. From now on every
   * backlog has its bound again, as after healing.
   */
  starved(atMs: number): void {
    this.starvedAtMs.push(atMs);
    while ((this.starvedAtMs[0] ?? atMs) < atMs - rememberedMs) this.starvedAtMs.shift();
    if (this.calmSinceMs === undefined) return;
    this.calmSinceMs = Math.max(this.calmSinceMs, atMs);
    for (const backlog of this.backlogs.values()) backlog.failingSinceMs.clear();
  }

  /** Which calls may fail for as long as they like from now on. Afterwards the time of a failure begins again. */
  excuse(excuses: Excuse): void {
    this.excuses = excuses;
    for (const backlog of this.backlogs.values()) backlog.failingSinceMs.clear();
  }

  answer(answer: Answer): void {
    const { said, askedMs, answeredMs } = answer;
    this.answers++;
    if (said.kind === 'error') this.errors++;
    const backlog = this.of(answer.subject);
    const isCalm = this.calmSinceMs !== undefined && askedMs >= this.calmSinceMs + backlog.subject.boundMs;
    this.outage(backlog, answer);
    this.checkEdge(backlog, answeredMs);
    if (said.kind === 'error') {
      if (isCalm) this.breach('no answer though nothing is broken', answeredMs, answer.subject, said.message);
      return;
    }
    backlog.numbers++;
    if (said.kind === 'number') backlog.lastItems = said.items;
    if (isCalm) backlog.judged++;
    const { boundMs, maxStalenessMs } = backlog.subject;
    const windowMs = isCalm ? boundMs : maxStalenessMs + boundMs;
    const possible = backlog.between(this.beforeStarving(askedMs, windowMs) - windowMs, answeredMs);
    if (possible === undefined) return;
    const wrong = wrongness(said, possible);
    if (wrong !== undefined)
      this.breach(
        wrong,
        answeredMs,
        answer.subject,
        `${answer.call} said ${inWords(said)}; in the ${(windowMs / 1000).toFixed(1)} s before it was ${inWords(possible)}, and ${isCalm ? 'nothing' : 'something'} was broken`,
      );
    this.seen(backlog, answer);
  }

  /** A message of StreamIsActive. */
  pushed(subject: string, atMs: number, active: boolean): void {
    const backlog = this.of(subject);
    if (active) backlog.heardTrue(atMs);
    this.checkEdge(backlog, atMs);
  }

  /** A process has ended on its own. */
  ended(process: string, atMs: number, how: string): void {
    this.breach('a process has ended', atMs, process, how);
  }

  /** A sampled value has a trend. */
  notFlat(what: string, atMs: number, detail: string): void {
    this.breach('not flat', atMs, what, detail);
  }

  /** No more answers will come. */
  finish(atMs: number): void {
    for (const backlog of this.backlogs.values()) {
      this.checkEdge(backlog, atMs);
      if (backlog.judged === 0)
        this.breach(
          'nothing to judge',
          atMs,
          backlog.subject.name,
          'no number came while nothing was broken',
        );
    }
  }

  private of(subject: string): Backlog {
    const backlog = this.backlogs.get(subject);
    if (backlog === undefined) throw new Error(`there is no backlog ${subject}`);
    return backlog;
  }

  /** When the machine began to be too busy, if that lies in the window. Otherwise when the call was made. */
  private beforeStarving(askedMs: number, windowMs: number): number {
    let begunMs = askedMs;
    for (const atMs of this.starvedAtMs.toReversed())
      if (atMs < begunMs && atMs >= begunMs - windowMs) begunMs = atMs;
    return begunMs;
  }

  private outage(backlog: Backlog, { call, said, askedMs, answeredMs, subject }: Answer): void {
    if (said.kind !== 'error') {
      backlog.failingSinceMs.delete(call);
      return;
    }
    const isOfWake = call === 'GetMetrics' && backlog.lastItems === 0;
    if (this.excuses === 'all' || (this.excuses === 'numbers of what wakes' && isOfWake)) {
      this.excused++;
      return;
    }
    const since = backlog.failingSinceMs.get(call) ?? askedMs;
    backlog.failingSinceMs.set(call, since);
    const failedForMs = answeredMs - since;
    if (this.failForMs === undefined || failedForMs <= this.failForMs || backlog.numbers === 0) return;
    this.breach(
      'calls fail for too long',
      answeredMs,
      subject,
      `${call} has failed for ${failedForMs.toFixed(0)} ms, at last with: ${said.message}`,
    );
    // The next breach belongs to another outage, or is as much later.
    backlog.failingSinceMs.set(call, answeredMs);
  }

  private checkEdge(backlog: Backlog, nowMs: number): void {
    const late = backlog.lateEdge(nowMs, this.calmSinceMs);
    if (late !== undefined)
      this.breach('lost edge', nowMs, backlog.subject.name, `no \`true\` for ${(late / 1000).toFixed(1)} s`);
  }

  private seen(backlog: Backlog, { said, answeredMs, askedMs }: Answer): void {
    const { healedAtMs } = backlog;
    if (healedAtMs === undefined || askedMs < healedAtMs) return;
    const now = backlog.between(askedMs, answeredMs);
    if (now === undefined || said.kind !== 'number' || wrongness(said, now) !== undefined) return;
    this.slowestAfterHealingMs = Math.max(this.slowestAfterHealingMs, answeredMs - healedAtMs);
    backlog.healedAtMs = undefined;
  }

  private breach(rule: Breach['rule'], atMs: number, about: string, detail: string): void {
    const same = this.breaches.find((each) => each.rule === rule && each.about === about);
    if (same !== undefined) {
      same.times++;
      return;
    }
    const breach = { rule, atMs, about, detail, times: 1 };
    this.breaches.push(breach);
    this.heard(breach);
  }
}

interface Step extends Truth {
  readonly fromMs: number;
}

/** The true sizes of a backlog, and what must still be seen of it. */
class Backlog {
  readonly subject: Subject;
  numbers = 0;
  /** How many of these came while nothing was broken. */
  judged = 0;
  /** The last number that anyone gave. */
  lastItems: number | undefined;
  healedAtMs: number | undefined;
  readonly failingSinceMs = new Map<string, number>();
  private readonly steps: Step[] = [];
  /** Since when it has been zero beyond doubt. */
  private zeroSinceMs: number | undefined;
  /** Whether every pod has had time to see the zero, and no edge came since. */
  private zeroWasSeen = false;
  /** An edge that was not pushed yet. */
  private edge: { readonly mayBeHeardFromMs: number; readonly sureMs: number } | undefined;
  private begunMs: number | undefined;
  private lastTrueMs = Number.NEGATIVE_INFINITY;

  constructor(subject: Subject) {
    this.subject = subject;
  }

  /** Returns whether this is an edge that must be pushed. */
  becomes(atMs: number, { least, most }: Truth, calmSinceMs: number | undefined): boolean {
    this.sawZero(atMs, calmSinceMs);
    this.steps.push({ fromMs: atMs, least, most });
    this.forget(atMs);
    if (most === 0) {
      this.zeroSinceMs ??= atMs;
      this.begunMs = undefined;
    } else {
      this.zeroSinceMs = undefined;
      this.begunMs ??= atMs;
    }
    // It no longer matters whether the edge was pushed.
    if (least === 0) this.edge = undefined;
    if (least === 0 || !this.zeroWasSeen) return false;
    this.zeroWasSeen = false;
    const mayBeHeardFromMs = this.begunMs ?? atMs;
    if (this.lastTrueMs < mayBeHeardFromMs) this.edge = { mayBeHeardFromMs, sureMs: atMs };
    return true;
  }

  /** Called before a change. Notes whether a zero has lasted long enough while nothing was broken. */
  sawZero(nowMs: number, calmSinceMs: number | undefined): void {
    if (this.zeroSinceMs === undefined || calmSinceMs === undefined) return;
    if (nowMs - Math.max(this.zeroSinceMs, calmSinceMs) >= this.subject.boundMs) this.zeroWasSeen = true;
  }

  heardTrue(atMs: number): void {
    this.lastTrueMs = atMs;
    if (this.edge !== undefined && atMs >= this.edge.mayBeHeardFromMs) this.edge = undefined;
  }

  /** For how long an edge has waited for its push, if that is too long. Reported once. */
  lateEdge(nowMs: number, calmSinceMs: number | undefined): number | undefined {
    if (this.edge === undefined || calmSinceMs === undefined) return undefined;
    const { sureMs } = this.edge;
    if (nowMs - Math.max(sureMs, calmSinceMs) <= this.subject.boundMs) return undefined;
    this.edge = undefined;
    return nowMs - sureMs;
  }

  /** The truth at any time between the two. Undefined if part of that time is unknown. */
  between(fromMs: number, untilMs: number): Truth | undefined {
    const first = this.steps[0];
    if (first === undefined || first.fromMs > untilMs) return undefined;
    let [least, most] = [Number.POSITIVE_INFINITY, 0];
    for (const [index, step] of this.steps.entries()) {
      const endsMs = this.steps[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY;
      if (step.fromMs > untilMs || endsMs <= fromMs) continue;
      least = Math.min(least, step.least);
      most = Math.max(most, step.most);
    }
    return { least, most };
  }

  /** Forgets what no window reaches. */
  private forget(nowMs: number): void {
    const { maxStalenessMs, boundMs } = this.subject;
    const oldestMs = nowMs - 2 * (maxStalenessMs + boundMs) - rememberedMs;
    while (this.steps[1] !== undefined && this.steps[1].fromMs <= oldestMs) this.steps.shift();
  }
}

function wrongness(
  said: Exclude<Said, { kind: 'error' }>,
  { least, most }: Truth,
): 'zero for a backlog that is not' | 'wrong number' | undefined {
  if (said.kind === 'activity') {
    if (!said.active && least > 0) return 'zero for a backlog that is not';
    return said.active && most === 0 ? 'wrong number' : undefined;
  }
  if (said.items === 0 && least > 0) return 'zero for a backlog that is not';
  return said.items < least || said.items > most ? 'wrong number' : undefined;
}

function inWords(what: Exclude<Said, { kind: 'error' }> | Truth): string {
  if ('least' in what) return what.least === what.most ? `${what.least}` : `${what.least} to ${what.most}`;
  if (what.kind === 'number') return `${what.items}`;
  return what.active ? 'active' : 'inactive';
}
