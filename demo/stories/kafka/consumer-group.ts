import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import type { Workload } from '../../../fakes/keda/mini-keda.ts';
import type { KafkaTopic } from './topic.ts';

/** A consumer group with a member for each replica. Each member handles a bounded number of records a second. */
export class ConsumerGroup implements Workload {
  private readonly source: KafkaTopic;
  private readonly pauseMs: number;
  private readonly members: Consumer[] = [];
  private readonly onFault: (error: unknown) => void;
  private wanted = 0;
  private changing: Promise<void> | undefined;

  constructor(source: KafkaTopic, recordsPerSecond: number, onFault: (error: unknown) => void) {
    this.source = source;
    this.pauseMs = 1000 / recordsPerSecond;
    this.onFault = onFault;
  }

  get replicas(): number {
    return this.wanted;
  }

  /** Members that have started. A rebalance may still keep them from working. */
  get running(): number {
    return this.members.length;
  }

  scale(replicas: number): void {
    this.wanted = replicas;
    this.changing ??= this.follow()
      .catch(this.onFault)
      .finally(() => {
        this.changing = undefined;
      });
  }

  async close(): Promise<void> {
    this.scale(0);
    while (this.changing !== undefined) await this.changing;
  }

  private async follow(): Promise<void> {
    while (this.members.length !== this.wanted) {
      const more = this.wanted - this.members.length;
      if (more > 0)
        this.members.push(...(await Promise.all(Array.from({ length: more }, () => this.join()))));
      else await Promise.all(this.members.splice(this.wanted).map((member) => member.disconnect()));
    }
  }

  private async join(): Promise<Consumer> {
    const { kafka, groupId, topic } = this.source;
    const consumer = kafka.consumer({
      groupId,
      // Short, so that members soon notice a rebalance, and soon leave.
      heartbeatInterval: 200,
      sessionTimeout: 10_000,
      rebalanceTimeout: 5_000,
      maxWaitTimeInMs: 200,
      allowAutoTopicCreation: false,
    });
    await consumer.connect();
    await consumer.subscribe({ topic });
    await consumer.run({
      eachBatchAutoResolve: false,
      autoCommitInterval: 250,
      eachBatch: (payload) => this.work(payload),
    });
    return consumer;
  }

  private async work(payload: EachBatchPayload): Promise<void> {
    for (const { offset } of payload.batch.messages) {
      if (!payload.isRunning() || payload.isStale()) return;
      await sleep(this.pauseMs);
      payload.resolveOffset(offset);
      await payload.commitOffsetsIfNecessary();
      await payload.heartbeat();
    }
  }
}
