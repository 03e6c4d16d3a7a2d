import type { ScaledObjectRef } from '../../src/grpc/generated/externalscaler/ScaledObjectRef.ts';

/** The consumer group of a topic: each has one of its own. */
export function groupOf(topic: string): string {
  return `${topic}-group`;
}

/** A ScaledObject on a topic; the number tells apart those that share one, as they share its group unless it says another. */
export function scaledObject(topic: string, number = 0, consumerGroup = groupOf(topic)): ScaledObjectRef {
  return {
    name: `${topic}-worker-${number}`,
    // A namespace may have 2,000 triggers.
    namespace: `team-${number % 20}`,
    scalerMetadata: { source: 'kafka', consumerGroup, topic, lagThreshold: '10' },
  };
}
