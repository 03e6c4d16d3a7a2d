import { Kvm } from '@nats-io/kv';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { NatsEventLog, type NatsLogSettings } from '../../../src/event-log/nats/log.ts';
import { natsSettings } from '../../../src/outbound/nats.ts';
import { type LinkSettings, NatsLink } from '../../../src/pods/link.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { recordingLogger } from '../recording-logger.ts';

let streams = 0;

/** A new stream for each test. */
export function newStream(): string {
  streams += 1;
  return `events-${streams}`;
}

export interface LogOptions {
  readonly urls: readonly string[];
  readonly stream: string;
  readonly settings?: Partial<NatsLogSettings & LinkSettings>;
}

/** The event log of a pod, which ends with the test. */
export async function openNatsLog({ urls, stream, settings = {} }: LogOptions) {
  const log = recordingLogger();
  const metrics = new Metrics();
  const all = {
    ...z.object(natsSettings).parse({ servers: urls }),
    stream,
    replicas: 1,
    retentionSeconds: 3_600,
    maxEventsPerConnection: 100_000,
    maxBytes: 1_073_741_824,
    maxBuffered: 10_000,
    maxBufferedBytes: 16_777_216,
    ...settings,
  };
  const link = new NatsLink({ settings: all, log });
  const events = new NatsEventLog({ settings: all, link, log, metrics });
  link.open();
  await events.open();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= events.close().then(() => link.close());
    return closing;
  };
  onTestFinished(close);
  return { events, link, log, metrics, close };
}

/** Makes the stream look as if these connections had been followed for so long that all of their events are known. */
export async function agedStream(urls: readonly string[], stream: string, connections: readonly string[]) {
  const { link, events, close } = await openNatsLog({ urls, stream });
  for (const connection of connections) {
    await new Promise<void>((resolve) => void events.feedOf(connection).follow(() => {}, resolve));
  }
  const { up } = link;
  if (up === undefined) throw new Error('NATS is away');
  const bucket = await new Kvm(up.jetstream).open(`${stream}-since`);
  for (const key of ['=stream', ...connections]) {
    const head = (await bucket.get(key))?.json<object>();
    await bucket.put(key, JSON.stringify({ ...head, atMs: 0 }));
  }
  await close();
}
