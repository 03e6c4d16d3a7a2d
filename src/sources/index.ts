import { events } from './events/index.ts';
import { github } from './github/index.ts';
import { kafka } from './kafka/index.ts';
import { nats } from './nats/index.ts';
import type { AnySource } from './source.ts';
import { sqs } from './sqs/index.ts';

/** Every source there is: one line each. */
export const sources: readonly AnySource[] = [kafka, github, sqs, nats, events];
