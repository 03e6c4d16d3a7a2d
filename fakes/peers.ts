import { ScalerError } from '../src/errors.ts';
import type { PeerDuties, Peers } from '../src/sources/source.ts';

/** Pods that hear each other at once. One of them has the lease. Messages are JSON, as over NATS. */
export class FakePods {
  readonly members: Member[] = [];
  private holder: Member | undefined;

  /** The first pod gets the lease. */
  join(duties: PeerDuties): Peers {
    const isFirst = this.members.length === 0;
    const member: Member = { duties, term: isFirst ? new AbortController() : undefined, asked: [] };
    this.members.push(member);
    if (isFirst) this.holder = member;
    return {
      get term() {
        return member.term?.signal;
      },
      ask: async (question, signal) => {
        const { holder } = this;
        if (holder === member) return undefined;
        if (holder === undefined || signal.aborted)
          throw new ScalerError('unavailable', 'no pod has the lease');
        const answer = await holder.duties.answer(copy(question), holder.term?.signal ?? signal);
        return this.holder === holder ? copy(answer) : undefined;
      },
      asked: (fault) => void member.asked.push(fault?.message),
      tell: (news) => {
        for (const { duties: other } of this.members) if (other !== duties) other.hear(copy(news));
      },
      close: () => Promise.resolve(),
    };
  }

  /** Gives the lease to the pod that joined at this place. */
  give(index: number): void {
    const before = this.holder;
    const after = this.members[index];
    before?.term?.abort();
    if (before !== undefined) before.term = undefined;
    if (after !== undefined) after.term = new AbortController();
    this.holder = after;
    before?.duties.changed();
    after?.duties.changed();
  }
}

interface Member {
  readonly duties: PeerDuties;
  term: AbortController | undefined;
  /** What it reported of its requests to the upstream: why one was not answered, or undefined. */
  readonly asked: (string | undefined)[];
}

function copy(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
