import {
  type ConsumerConfig,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type StreamConfig,
} from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';

let last = 0;

/** A client of a NATS server without the scaler. It makes streams, publishes, and consumes. */
export class JetStreamUser {
  readonly nats: NatsConnection;
  readonly manager: JetStreamManager;

  static async connect(
    servers: readonly string[],
    options: { user?: string; pass?: string; domain?: string } = {},
  ): Promise<JetStreamUser> {
    const { domain, ...login } = options;
    const nats = await connect({
      servers: [...servers],
      ...login,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
    });
    const manager = await jetstreamManager(nats, {
      ...(domain === undefined ? {} : { domain }),
      checkAPI: false,
    });
    return new JetStreamUser(nats, manager);
  }

  private constructor(nats: NatsConnection, manager: JetStreamManager) {
    this.nats = nats;
    this.manager = manager;
  }

  /** A unique name. */
  name(of = 'orders'): string {
    last += 1;
    return `${of}-${last}`;
  }

  /** A stream `name`, by default of the subjects `name.>`, with a durable pull consumer `worker`. */
  async stream(
    config: Partial<StreamConfig> = {},
    consumer: Partial<ConsumerConfig> = {},
  ): Promise<{ stream: string; consumer: string }> {
    const name = config.name ?? this.name();
    const isMirror = config.mirror !== undefined;
    await this.manager.streams.add({ name, ...(isMirror ? {} : { subjects: [`${name}.>`] }), ...config });
    return this.consumer(name, consumer);
  }

  async consumer(
    stream: string,
    config: Partial<ConsumerConfig> = {},
  ): Promise<{ stream: string; consumer: string }> {
    const name = config.durable_name ?? 'worker';
    await this.manager.consumers.add(stream, { durable_name: name, ack_policy: 'explicit', ...config });
    return { stream, consumer: name };
  }

  /** Resolves when the stream has the messages. */
  async publish(subject: string, count = 1): Promise<void> {
    const js = jetstream(this.nats, this.manager.getOptions());
    for (let at = 0; at < count; at += 1) await js.publish(subject, 'a message');
  }

  /** Publishes with an ID, by which the stream recognizes duplicates. */
  async publishAs(subject: string, msgID: string): Promise<void> {
    await jetstream(this.nats, this.manager.getOptions()).publish(subject, 'a message', { msgID });
  }

  /** Takes messages of a pull consumer, and acknowledges this many of them. */
  async take(
    { stream, consumer }: { stream: string; consumer: string },
    count: number,
    acks = count,
  ): Promise<void> {
    const js = jetstream(this.nats, this.manager.getOptions());
    const messages = await (await js.consumers.get(stream, consumer)).fetch({
      max_messages: count,
      expires: 5_000,
    });
    let taken = 0;
    for await (const message of messages) {
      taken += 1;
      if (taken <= acks) await message.ackAck();
    }
  }

  close(): Promise<void> {
    return this.nats.close();
  }
}
