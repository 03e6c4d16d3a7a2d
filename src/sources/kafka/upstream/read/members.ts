import {
  describeConsumerGroups,
  describeGroups,
  type GroupDescription,
} from '../protocol/describe-groups.ts';
import { errorCodes } from '../protocol/error-codes.ts';
import { type Pending, TurnBatch } from '../turns.ts';
import type { Brokers, Send } from './brokers.ts';
import { byAddress, type Coordinators } from './commits.ts';
import { RecentMap } from './recent-map.ts';

/** A group is described at most so often, whatever asks. */
export const describeEveryMs = 15_000;
/** What was last heard of a group's members is believed for so long. */
const believedMs = 60_000;
const idleMs = 300_000;
const mostGroups = 100_000;

interface Known {
  askedAtMs: number;
  toldAtMs: number;
  members: number | undefined;
}

type Question = { readonly group: string; readonly address: string };
type PendingQuestion = Pending<Question, GroupDescription | undefined>;

/** How many members groups have, by DescribeGroups: one request a coordinator for every request of one turn. */
export class GroupMembers {
  private readonly brokers: Brokers;
  private readonly coordinators: Coordinators;
  private readonly now: () => number;
  private readonly known: RecentMap<string, Known>;
  private readonly batch = new TurnBatch<Question, GroupDescription | undefined>((asked) =>
    this.askCoordinators(asked),
  );

  constructor(brokers: Brokers, coordinators: Coordinators, now: () => number) {
    this.brokers = brokers;
    this.coordinators = coordinators;
    this.now = now;
    this.known = new RecentMap({ idleMs, limit: mostGroups, now });
  }

  /**
   * As it was last told, at once: no read waits for it. Undefined before the first answer, while members change, and
   * where the coordinator does not say.
   */
  of(group: string): number | undefined {
    const nowMs = this.now();
    const never = Number.NEGATIVE_INFINITY;
    const known = this.known.get(group) ?? { askedAtMs: never, toldAtMs: never, members: undefined };
    if (nowMs - known.askedAtMs >= describeEveryMs) {
      known.askedAtMs = nowMs;
      this.known.set(group, known);
      void this.ask(group, known);
    }
    return nowMs - known.toldAtMs <= believedMs ? known.members : undefined;
  }

  /** Never rejects: the number of members is no part of a backlog. */
  private async ask(group: string, known: Known): Promise<void> {
    try {
      const address = await this.coordinators.find(group);
      const found = await this.batch.ask({ group, address });
      if (found?.errorCode === errorCodes.NOT_COORDINATOR) this.coordinators.forget(group);
      known.members = found && membersOf(found);
    } catch {
      known.members = undefined;
    }
    known.toldAtMs = this.now();
  }

  private async askCoordinators(asked: readonly PendingQuestion[]): Promise<void> {
    await Promise.all([...byAddress(asked)].map(([address, own]) => this.askCoordinator(address, own)));
  }

  private async askCoordinator(address: string, asked: readonly PendingQuestion[]): Promise<void> {
    const groups = [...new Set(asked.map(({ item }) => item.group))];
    try {
      const found = await this.brokers.ask(address, (send) => describe(groups, send));
      for (const { item, resolve } of asked) resolve(found.get(item.group));
    } catch (reason) {
      for (const { reject } of asked) reject(reason);
    }
  }
}

/** Those that are dead to the older protocol may live by the newer one; a broker that does not know it has none of them. */
async function describe(groups: readonly string[], send: Send): Promise<Map<string, GroupDescription>> {
  const { groups: described } = await send(describeGroups({ groups }));
  const found = new Map(described.map((one) => [one.group, one]));
  const dead = described.filter(isDead).map(({ group }) => group);
  if (dead.length === 0) return found;
  const more = await send(describeConsumerGroups({ groups: dead })).catch(() => undefined);
  for (const one of more?.groups ?? []) if (one.errorCode === 0) found.set(one.group, one);
  return found;
}

function isDead({ state, errorCode }: GroupDescription): boolean {
  return state === 'Dead' || errorCode === errorCodes.GROUP_ID_NOT_FOUND;
}

/** Undefined while they change: those who are there then do not all work. */
function membersOf(found: GroupDescription): number | undefined {
  if (isDead(found)) return 0;
  if (found.errorCode !== 0) return undefined;
  return found.state === 'Stable' || found.state === 'Empty' ? found.members : undefined;
}
