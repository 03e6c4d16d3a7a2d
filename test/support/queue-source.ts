import { z } from 'zod';
import type { Source } from '../../src/sources/source.ts';
import { about } from './about.ts';
import { type Counts, hintSource, QueueService } from './hint-source.ts';

const config = z.strictObject({ service: z.string(), snsTopics: z.array(z.string()).optional() });
type Config = z.output<typeof config>;
type HintParams = typeof hintSource extends Source<infer P, infer _C, infer _S, infer _H> ? P : never;

const services = new Map<string, QueueService>();

/** The queue service of this name in a configuration. */
export function serviceOf(name: string): QueueService {
  const service = services.get(name) ?? new QueueService();
  services.set(name, service);
  return service;
}

/** The source with hints, for a configuration file: with a service by name, and topics of SNS. */
export const queueSource: Source<HintParams, Config, Counts, undefined> = {
  kind: 'queues',
  about,
  params: hintSource.params,
  fold: hintSource.fold,
  evaluate: hintSource.evaluate,
  config,
  connectionKeys: {},
  snsTopics: ({ snsTopics = [] }) => snsTopics,
  place: ({ service }) => ({ addresses: [service] }),
  minReadMs: ({ service }) => hintSource.minReadMs(serviceOf(service)),
  connect: ({ service }, deps) => hintSource.connect(serviceOf(service), deps),
  pace: ({ service }, view) => hintSource.pace(serviceOf(service), view),
  target: (params, { service }) => hintSource.target(params, serviceOf(service)),
};
