import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import type { AnyConnection, AnySource, Pace, Reading, Watch } from '../../../src/sources/source.ts';
import { FailureLog } from '../../../src/subjects/failure-log.ts';
import { type Member, Subject, type SubjectHost } from '../../../src/subjects/subject.ts';
import { silentLogger } from '../../../src/telemetry/log.ts';
import { levelSource } from '../../support/level-source.ts';

/** Records a subject's calls to its connection. The test sets the clock and the source. */
class Scene {
  nowMs = 0;
  minReadMs = 1_000;
  pace: Pace = { nextReadMs: 30_000, watch: false };
  /** The error of the source's next call to a rule. */
  readonly throws = new Map<string, Error>();
  readonly watches: {
    wake: (cause: string) => void;
    closed: boolean;
    watch: { -readonly [K in keyof Watch]: Watch[K] };
  }[] = [];
  emptied = 0;
  scheduled = 0;
  readonly subject: Subject;

  constructor() {
    const source: AnySource = {
      ...levelSource,
      fold: () => this.rule('fold', undefined),
      evaluate: () =>
        this.rule<Reading>('evaluate', { kind: 'known', items: 0, active: false, detail: () => ({}) }),
      pace: () => this.rule('pace', this.pace),
    };
    const connection: AnyConnection = {
      subject: () => ({ key: 's', hintNames: [], need: undefined }),
      read: async () => {},
      arm: (_subject, _from, wake) => this.arm(wake),
      close: async () => {},
    };
    const host: SubjectHost = {
      source,
      config: {},
      connection,
      minReadMs: this.minReadMs,
      failures: new FailureLog(silentLogger),
      now: () => this.nowMs,
      random: () => 0.5,
      schedule: () => {
        this.scheduled += 1;
      },
      woken: () => {},
      emptied: () => {
        this.emptied += 1;
      },
    };
    this.subject = new Subject({ key: 's', hintNames: [], need: undefined }, host);
  }

  private rule<T>(name: string, value: T): T {
    const error = this.throws.get(name);
    this.throws.delete(name);
    if (error) throw error;
    return value;
  }

  private arm(wake: (cause: string) => void): Watch {
    this.rule('arm', undefined);
    const entry: (typeof this.watches)[number] = {
      wake,
      closed: false,
      watch: {
        state: 'arming',
        confirmedAtMs: undefined,
        close: () => {
          entry.closed = true;
          this.rule('close', undefined);
        },
      },
    };
    this.watches.push(entry);
    return entry.watch;
  }

  /** A trigger, and what it has received. */
  member(paramsKey = '', need?: string): Member & { readings: Reading[]; failures: number; gone: boolean } {
    const readings: Reading[] = [];
    const member = {
      params: {},
      paramsKey,
      maxStalenessMs: 60_000,
      wasActive: undefined as boolean | undefined,
      readings,
      failures: 0,
      gone: false,
      take: (reading: Reading) => {
        readings.push(reading);
        if (reading.kind === 'known') member.wasActive = reading.active;
      },
      failed: () => {
        member.failures += 1;
      },
      left: () => {
        member.gone = true;
      },
      moveTo: (subject: Subject, wanted: unknown) => {
        this.subject.leave(member);
        subject.join(member, wanted);
      },
    };
    this.subject.join(member, need);
    return member;
  }

  /** One read, from the batch to the result. */
  read(result: 'snapshot' | ScalerError = 'snapshot'): void {
    this.subject.queued();
    this.subject.begin(this.nowMs);
    this.deliver(result);
  }

  deliver(result: 'snapshot' | ScalerError = 'snapshot'): void {
    for (const _ of this.subject.settle(result === 'snapshot' ? { snapshot: 0 } : result));
  }
}

const down = new ScalerError('unavailable', 'down');

describe('a subject that is idle', () => {
  it('becomes due with its clock, reading with its batch, and idle again with the result', () => {
    const scene = new Scene();
    scene.member();
    const states = [scene.subject.state];
    scene.subject.queued();
    states.push(scene.subject.state);
    scene.subject.begin(0);
    states.push(scene.subject.state);
    scene.deliver();
    states.push(scene.subject.state);
    expect(states).toEqual(['idle', 'due', 'reading', 'idle']);
    expect(scene.subject.dueAtMs).toBe(30_000);
  });

  it('is due at once after a wake, and urgent', () => {
    const scene = new Scene();
    scene.member();
    scene.read();
    scene.nowMs = 5_000;
    scene.subject.wake('watch');
    expect([scene.subject.dueAtMs, scene.subject.urgent]).toEqual([5_000, true]);
  });
});

describe('a subject that is reading', () => {
  it('remembers a wake for one read after this one', () => {
    const scene = new Scene();
    scene.member();
    scene.subject.queued();
    scene.subject.begin(0);
    scene.nowMs = 100;
    scene.subject.wake('watch');
    scene.subject.wake('watch');
    expect(scene.subject.state).toBe('reading');
    scene.deliver();
    expect([scene.subject.state, scene.subject.dueAtMs, scene.subject.urgent]).toEqual(['idle', 100, true]);
    scene.read();
    expect([scene.subject.dueAtMs, scene.subject.urgent]).toEqual([30_000, false]);
  });

  it('stays so until all its triggers have their reading, one in each step', () => {
    const scene = new Scene();
    const members = ['a', 'b', 'c'].map((key) => scene.member(key));
    scene.subject.begin(0);
    const steps = scene.subject.settle({ snapshot: 0 });
    for (const done of [1, 2, 3]) {
      steps.next();
      expect(members.filter(({ readings }) => readings.length === 1)).toHaveLength(done);
      expect(scene.subject.state).toBe('reading');
    }
    steps.next();
    expect(scene.subject.state).toBe('idle');
  });
});

describe('a trigger that needs more of a subject than the others', () => {
  it('gets no reading from a read without it, and is read for at once afterwards', () => {
    const scene = new Scene();
    const first = scene.member('a', 'web');
    scene.subject.begin(0);
    const late = scene.member('b', 'api');
    const alike = scene.member('c', 'web');
    scene.nowMs = 50;
    scene.deliver();
    expect([first, late, alike].map(({ readings }) => readings.length)).toEqual([1, 0, 1]);
    expect([scene.subject.state, scene.subject.dueAtMs]).toEqual(['idle', 50]);
    expect(scene.subject.asked.needs).toEqual(['web', 'api']);
    scene.read();
    expect(late.readings).toHaveLength(1);
    expect(scene.subject.dueAtMs).toBe(30_000);
  });

  it('gets a read at once', () => {
    const scene = new Scene();
    scene.member('a', 'a');
    scene.read();
    scene.nowMs = 5_000;
    scene.member('b', 'b');
    expect(scene.subject.dueAtMs).toBe(5_000);
    expect(scene.subject.asked.needs).toEqual(['a', 'b']);
  });

  it.each([0, 1])('gets another read after one that began without it (%i before)', (before) => {
    const scene = new Scene();
    scene.member('a', 'a');
    for (let i = 0; i < before; i += 1) scene.read();
    scene.subject.begin(0);
    scene.nowMs = 100;
    scene.member('b', 'b');
    scene.deliver();
    expect([scene.subject.state, scene.subject.dueAtMs]).toEqual(['idle', 100]);
    scene.read();
    expect(scene.subject.dueAtMs).toBe(30_000);
  });

  it('does not make the scaler ask a source before the time that it requested', () => {
    const scene = new Scene();
    scene.member('a', 'a');
    scene.read();
    scene.read(new ScalerError('unavailable', 'slow down', { retryAfterMs: 60_000 }));
    scene.nowMs = 30_000;
    scene.member('b', 'b');
    expect(scene.subject.dueAtMs).toBe(60_000);
    scene.nowMs = 60_000;
    scene.subject.begin(60_000);
    scene.member('c', 'c');
    scene.deliver(new ScalerError('unavailable', 'slow down', { retryAfterMs: 60_000 }));
    expect(scene.subject.dueAtMs).toBe(120_000);
  });
});

describe('a subject that is closed', () => {
  it.each(['idle', 'due', 'reading'] as const)('stays so if it was %s, whatever comes', (before) => {
    const scene = new Scene();
    scene.pace = { nextReadMs: 1_000, watch: true };
    const member = scene.member();
    scene.read();
    scene.watches[0]?.wake('watch');
    if (before !== 'idle') scene.subject.queued();
    if (before === 'reading') scene.subject.begin(0);
    expect(scene.subject.state).toBe(before);
    const { length } = scene.watches;
    scene.subject.close();
    const { scheduled } = scene;
    scene.subject.wake('watch');
    scene.subject.queued();
    scene.deliver();
    scene.deliver(down);
    expect(scene.subject.state).toBe('closed');
    expect([scene.scheduled, scene.watches.length, member.readings.length]).toEqual([scheduled, length, 1]);
    expect([member.gone, scene.watches.every(({ closed }) => closed)]).toEqual([true, true]);
  });

  it('hands out no more readings after the step under way', () => {
    const scene = new Scene();
    const members = ['a', 'b'].map((key) => scene.member(key));
    scene.subject.begin(0);
    const steps = scene.subject.settle({ snapshot: 0 });
    steps.next();
    scene.subject.close();
    for (const _ of steps);
    expect(members.map(({ readings }) => readings.length)).toEqual([1, 0]);
    expect(scene.subject.state).toBe('closed');
  });

  it('is dropped with its last trigger', () => {
    const scene = new Scene();
    const [one, two] = [scene.member(), scene.member()];
    scene.subject.leave(one);
    expect(scene.emptied).toBe(0);
    scene.subject.leave(two);
    scene.subject.leave(two);
    expect(scene.emptied).toBe(1);
  });
});

describe('a rule of the source that throws', () => {
  it.each(['fold', 'pace'])('in %s fails the subject alone, which is read again with backoff', (rule) => {
    const scene = new Scene();
    const member = scene.member();
    scene.throws.set(rule, new TypeError('a bug'));
    scene.read();
    expect(scene.subject.error).toMatchObject({ code: 'internal', message: 'a bug' });
    expect(member.failures).toBe(1);
    expect([scene.subject.state, scene.subject.dueAtMs]).toEqual(['idle', 1_000]);
    scene.throws.set(rule, new TypeError('a bug'));
    scene.nowMs = 1_000;
    scene.read();
    expect(scene.subject.dueAtMs).toBe(3_000);
    scene.nowMs = 3_000;
    scene.read();
    expect(scene.subject.error).toBeUndefined();
    expect(member.readings.at(-1)).toMatchObject({ kind: 'known' });
  });

  it('in evaluate gives an unknown reading to the triggers with these parameters', () => {
    const scene = new Scene();
    const members = [scene.member('a'), scene.member('b')];
    scene.throws.set('evaluate', new TypeError('a bug'));
    scene.read();
    expect(members.map(({ readings }) => readings[0]?.kind)).toEqual(['unknown', 'known']);
    expect(scene.subject.error).toBeUndefined();
  });

  it('in arm is a refused watch, tried again later; in close the watch is closed all the same', () => {
    const scene = new Scene();
    scene.pace = { nextReadMs: 1_000, watch: true };
    scene.member();
    scene.throws.set('arm', new TypeError('a bug'));
    scene.read();
    expect([scene.subject.state, scene.watches.length]).toEqual(['idle', 0]);
    scene.nowMs = 6_000;
    scene.read();
    expect(scene.watches).toHaveLength(1);
    scene.throws.set('close', new TypeError('a bug'));
    scene.watches[0]?.wake('watch');
    expect([scene.subject.urgent, scene.watches[0]?.closed]).toEqual([true, true]);
  });
});

describe('a source that failed', () => {
  it('is not asked again before its backoff ends, whatever the wake', () => {
    const scene = new Scene();
    scene.member();
    for (const failures of [1, 2, 3]) {
      scene.read(down);
      const backoffMs = 1_000 * 2 ** (failures - 1);
      for (const cause of ['watch', 'event']) scene.subject.wake(cause);
      scene.subject.wake('hint', 'hint');
      expect(scene.subject.dueAtMs).toBe(scene.nowMs + backoffMs);
      scene.nowMs = scene.subject.dueAtMs;
    }
  });

  it('is not asked again before the time that it requested', () => {
    const scene = new Scene();
    scene.member();
    scene.read(new ScalerError('unavailable', 'slow down', { retryAfterMs: 60_000 }));
    scene.nowMs = 30_000;
    scene.subject.wake('hint', 'hint');
    expect(scene.subject.dueAtMs).toBe(60_000);
  });

  it('counts as confirmed by a watch that still sees nothing', () => {
    const scene = new Scene();
    scene.pace = { nextReadMs: 1_000, watch: true };
    scene.member();
    scene.read();
    const watch = scene.watches[0]?.watch;
    if (watch) {
      watch.state = 'armed';
      watch.confirmedAtMs = 59_900;
    }
    scene.nowMs = 60_000;
    scene.read(new ScalerError('unavailable', 'timed out'));
    expect(scene.subject.error).toBeDefined();
    expect(scene.subject.confirmedAtMs()).toBe(59_900);
  });
});
