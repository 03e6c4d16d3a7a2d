import { Brokers, type BrokersOptions } from './brokers.ts';
import { Commits } from './commits.ts';
import { Coordinators } from './coordinators.ts';
import { LeaderOffsets } from './leader-offsets.ts';
import { LogStarts } from './log-starts.ts';
import { TopicRanges } from './topic-ranges.ts';
import { Topology } from './topology.ts';

export interface ClusterOptions extends BrokersOptions {
  /** How old layouts, topic names and log starts may be. */
  reconcileMs: number;
  /** ms of a monotonic clock; `performance.now` but in tests. */
  now?: () => number;
}

/** Everything one connection knows of its cluster, and the wires to it. */
export class Cluster {
  readonly now: () => number;
  readonly topology: Topology;
  readonly commits: Commits;
  readonly ranges: TopicRanges;
  private readonly brokers: Brokers;

  constructor({ reconcileMs, now = () => performance.now(), ...options }: ClusterOptions) {
    const brokers = new Brokers(options);
    const leaders = new LeaderOffsets(brokers);
    const topology = new Topology({ brokers, reconcileMs, now });
    this.now = now;
    this.brokers = brokers;
    this.topology = topology;
    this.commits = new Commits(brokers, new Coordinators({ brokers, now }));
    this.ranges = new TopicRanges({
      topology,
      leaders,
      starts: new LogStarts({ leaders, reconcileMs, now }),
    });
  }

  /** Resolves when every socket is gone. */
  close(): Promise<void> {
    return this.brokers.close();
  }
}
