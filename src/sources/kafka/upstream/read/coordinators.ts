import { ScalerError } from '../../../../errors.ts';
import { fromErrorCode } from '../errors.ts';
import { type Coordinator, findCoordinator, findCoordinators } from '../protocol/find-coordinator.ts';
import { type Asked, TurnBatch } from '../turns.ts';
import type { Wire } from '../wire/wire.ts';
import type { Brokers, Send } from './brokers.ts';
import { RecentMap } from './recent-map.ts';

const idleMs = 300_000;
const mostGroups = 100_000;
const mostTexts = 1000;

export interface CoordinatorsOptions {
  brokers: Brokers;
  now: () => number;
}

/** Which broker keeps each group's commits. Asked for once, until somebody finds it is not so any more. */
export class Coordinators {
  private readonly brokers: Brokers;
  private readonly addresses: RecentMap<string, string>;
  private readonly texts = new Map<string, string>();
  private readonly batch = new TurnBatch<string, string>((asked) => this.refresh(asked));

  constructor({ brokers, now }: CoordinatorsOptions) {
    this.brokers = brokers;
    this.addresses = new RecentMap({ idleMs, limit: mostGroups, now });
  }

  /** The coordinator's `host:port`. @throws ScalerError */
  async find(group: string): Promise<string> {
    return this.addresses.get(group) ?? this.batch.ask(group);
  }

  forget(group: string): void {
    this.addresses.delete(group);
  }

  /** Each answer is a text of its own, and brokers are few: one is kept of those that are equal. */
  private oneOf(address: string): string {
    const known = this.texts.get(address);
    if (known !== undefined) return known;
    if (this.texts.size >= mostTexts) this.texts.clear();
    this.texts.set(address, address);
    return address;
  }

  private async refresh(asked: readonly Asked<string, string>[]): Promise<void> {
    const groups = [...new Set(asked.map(({ item }) => item))];
    const answers = await this.brokers.askAny((send, wire) => askFor(groups, send, wire));
    const found = new Map(answers.map((answer) => [answer.group, answer]));
    for (const { item, resolve, reject } of asked) {
      const answer = found.get(item);
      const what = `the coordinator of group ${JSON.stringify(item)}`;
      if (answer === undefined) {
        reject(new ScalerError('unavailable', `the brokers said nothing about ${what}`));
      } else if (answer.errorCode !== 0) {
        reject(fromErrorCode(answer.errorCode, what));
      } else {
        const address = this.oneOf(answer.address);
        this.addresses.set(item, address);
        resolve(address);
      }
    }
  }
}

/** One request for all groups, or one each where the broker is older than Kafka 3.0. */
async function askFor(groups: readonly string[], send: Send, wire: Wire): Promise<readonly Coordinator[]> {
  const together = findCoordinators({ groups });
  if (wire.takes(together)) return (await send(together)).coordinators;
  const answers = await Promise.all(groups.map((group) => send(findCoordinator({ group }))));
  return answers.flatMap(({ coordinators }) => coordinators);
}
