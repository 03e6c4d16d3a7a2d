import type { ScaledObjectRef } from '../../src/grpc/generated/externalscaler/ScaledObjectRef.ts';

/** The consumer group of a topic. */
export function groupOf(topic: string): string {
  return `${topic}-group`;
}

/** A ScaledObject for a topic. The number distinguishes those on the same topic. By default they share its group. */
export function scaledObject(topic: string, number = 0, consumerGroup = groupOf(topic)): ScaledObjectRef {
  return {
    name: `${topic}-worker-${number}`,
    // A namespace may have 2,000 triggers.
    namespace: `team-${number % 20}`,
    scalerMetadata: { source: 'kafka', consumerGroup, topic, lagThreshold: '10' },
  };
}
