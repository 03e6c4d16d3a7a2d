/*
 * What must hold whatever is broken, as a checker without clock, input or output. It is told what is true of each
 * backlog, what is broken and when, and every answer; it says what was wrong. Times are ms of one monotonic clock.
 *
 * What is true is a range, since a write that has not been answered may or may not be there: it was begun at one time
 * and known at a later one. An answer is wrong only where no moment of its window allows it.
 */

/** A backlog, and how far behind the truth an answer to its trigger may be. */
export interface Subject {
  readonly name: string;
  /** While nothing is broken, and after healing. */
  readonly boundMs: number;
  /** While something is broken: the trigger's `maxStalenessSeconds`. After that there may be no number. */
  readonly maxStalenessMs: number;
}

/** So many items at the least and at the most. */
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
  /** Which call: failures of one kind in a row are one outage. */
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
  /** What was said, and what would have been right. */
  readonly detail: string;
  /** How often it was so of the same thing; what else is said is of the first time. */
  times: number;
}

/** Answers come late by the time that they took, and by as long as the machine was too busy. */
const rememberedMs = 120_000;

/** What a run has come to so far. */
export interface Tally {
  readonly answers: number;
  /** Of these, those without a number. */
  readonly errors: number;
  readonly edges: number;
  /** From healing to the first right answer, the longest of all backlogs and all times. */
  readonly slowestAfterHealingMs: number;
}

export class Invariants {
  readonly breaches: Breach[] = [];
  private readonly backlogs = new Map<string, Backlog>();
  private readonly failForMs: number | undefined;
  private readonly heard: (breach: Breach) => void;
  /** Nothing is broken since then; undefined: something is. Nothing was promised before the first healing. */
  private calmSinceMs: number | undefined;
  /** When the machine was too busy, in the time that windows can reach. */
  private readonly starvedAtMs: number[] = [];
  private answers = 0;
  private errors = 0;
  private edges = 0;
  private slowestAfterHealingMs = 0;

  /** `failForMs`: for how long calls may fail, whatever is broken; where it is left out, for as long as it is. `heard` is told of each breach. */
  constructor({
    failForMs,
    heard = () => {},
  }: { failForMs?: number; heard?: (breach: Breach) => void } = {}) {
    this.failForMs = failForMs;
    this.heard = heard;
  }

  /** Of a backlog that is empty. */
  add(subject: Subject, atMs: number): void {
    const backlog = new Backlog(subject);
    backlog.becomes(atMs, { least: 0, most: 0 }, this.calmSinceMs);
    this.backlogs.set(subject.name, backlog);
  }

  /** Nobody asks for it any more. */
  remove({ name }: Subject): void {
    this.backlogs.delete(name);
  }

  /** Those that no number has come for. */
  get withoutNumber(): string[] {
    return [...this.backlogs.values()]
      .filter(({ numbers }) => numbers === 0)
      .map(({ subject }) => subject.name);
  }

  get tally(): Tally {
    const { answers, errors, edges, slowestAfterHealingMs } = this;
    return { answers, errors, edges, slowestAfterHealingMs };
  }

  /** It is true from now on. */
  truth(subject: string, atMs: number, truth: Truth): void {
    const backlog = this.of(subject);
    if (backlog.becomes(atMs, truth, this.calmSinceMs)) this.edges++;
  }

  /** Something is broken from now on. */
  broken(atMs: number): void {
    for (const backlog of this.backlogs.values()) backlog.sawZero(atMs, this.calmSinceMs);
    this.calmSinceMs = undefined;
  }

  /** Nothing is broken any more; what must come back by itself has `graceMs` beside the bound of each backlog. */
  healed(atMs: number, graceMs = 0): void {
    this.calmSinceMs = atMs + graceMs;
    for (const backlog of this.backlogs.values()) backlog.healedAtMs = atMs;
  }

  /**
   * The machine has not let one of us run until now. What comes of it is nobody's fault: from now on all have their bound
   * again, as after healing.
   */
  starved(atMs: number): void {
    this.starvedAtMs.push(atMs);
    while ((this.starvedAtMs[0] ?? atMs) < atMs - rememberedMs) this.starvedAtMs.shift();
    if (this.calmSinceMs === undefined) return;
    this.calmSinceMs = Math.max(this.calmSinceMs, atMs);
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

  /** A process has ended that nobody had told to. */
  ended(process: string, atMs: number, how: string): void {
    this.breach('a process has ended', atMs, process, how);
  }

  /** Something that was sampled has a trend. */
  notFlat(what: string, atMs: number, detail: string): void {
    this.breach('not flat', atMs, what, detail);
  }

  /** No more answers come. */
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

  /** The begin of the time in which the machine was too busy, where that reaches into the window; else when it was asked. */
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
    // The next breach is another outage's, or as much later.
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

/** What was true of one backlog, and what is still to be seen of it. */
class Backlog {
  readonly subject: Subject;
  numbers = 0;
  /** Of these, those that came while nothing was broken. */
  judged = 0;
  healedAtMs: number | undefined;
  readonly failingSinceMs = new Map<string, number>();
  private readonly steps: Step[] = [];
  /** It has been zero without a doubt, since then. */
  private zeroSinceMs: number | undefined;
  /** Every pod has had the time to see that it is zero, and no edge has been since. */
  private zeroWasSeen = false;
  /** Nobody has heard of this edge yet. */
  private edge: { readonly mayBeHeardFromMs: number; readonly sureMs: number } | undefined;
  private begunMs: number | undefined;
  private lastTrueMs = Number.NEGATIVE_INFINITY;

  constructor(subject: Subject) {
    this.subject = subject;
  }

  /** Gives whether it is an edge that must be told. */
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
    // Who was told of it or not does not matter any more.
    if (least === 0) this.edge = undefined;
    if (least === 0 || !this.zeroWasSeen) return false;
    this.zeroWasSeen = false;
    const mayBeHeardFromMs = this.begunMs ?? atMs;
    if (this.lastTrueMs < mayBeHeardFromMs) this.edge = { mayBeHeardFromMs, sureMs: atMs };
    return true;
  }

  /** Notes, before something changes, whether a zero has lasted for long enough while nothing was broken. */
  sawZero(nowMs: number, calmSinceMs: number | undefined): void {
    if (this.zeroSinceMs === undefined || calmSinceMs === undefined) return;
    if (nowMs - Math.max(this.zeroSinceMs, calmSinceMs) >= this.subject.boundMs) this.zeroWasSeen = true;
  }

  heardTrue(atMs: number): void {
    this.lastTrueMs = atMs;
    if (this.edge !== undefined && atMs >= this.edge.mayBeHeardFromMs) this.edge = undefined;
  }

  /** For how long an edge has been untold, where that is too long; it is told once. */
  lateEdge(nowMs: number, calmSinceMs: number | undefined): number | undefined {
    if (this.edge === undefined || calmSinceMs === undefined) return undefined;
    const { sureMs } = this.edge;
    if (nowMs - Math.max(sureMs, calmSinceMs) <= this.subject.boundMs) return undefined;
    this.edge = undefined;
    return nowMs - sureMs;
  }

  /** What it was at any time between the two; undefined: nothing is known of a part of that time. */
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

  /** What no window reaches any more. */
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
