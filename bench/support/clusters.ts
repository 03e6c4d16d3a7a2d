import { BenchKafka } from './kafka.ts';

/** One cluster at a time. Rows that need the same one share it, and none runs beside a measurement of another. */
export class Clusters {
  private readonly progress: (line: string) => void;
  private running: BenchKafka | undefined;

  constructor(progress: (line: string) => void) {
    this.progress = progress;
  }

  async get(brokers: 1 | 3): Promise<BenchKafka> {
    if (this.running?.brokers === brokers) return this.running;
    await this.stop();
    this.progress(`starting Kafka with ${brokers} broker${brokers === 1 ? '' : 's'}`);
    this.running = await BenchKafka.start(brokers, this.progress);
    return this.running;
  }

  async stop(): Promise<void> {
    const { running } = this;
    this.running = undefined;
    await running?.stop();
  }
}
