import type { KafkaParams } from '../../../../../src/sources/kafka/params.ts';
import type { PartitionOffsets } from '../../../../../src/sources/kafka/rules/snapshot.ts';

/**
 * KEDA's own algorithm in plain words, faults included (pkg/scalers/kafka_scaler.go, getLagForPartition and getTotalLag,
 * v2.21.0). Without excludePersistentLag, which in KEDA depends on how often it is called.
 */
export function kedaBacklog(
  params: KafkaParams,
  partitions: readonly PartitionOffsets[],
): { metric: number; active: boolean } {
  const threshold = params.lagThreshold;
  let total = 0;
  let lagging = 0;
  for (const { logStart, end, committed } of partitions) {
    let lag: number;
    if (committed === undefined) {
      if (params.scaleToZeroOnInvalidOffset) lag = 0;
      else lag = params.offsetResetPolicy === 'latest' ? 1 : end - logStart;
    } else {
      lag = end - committed;
    }
    total += lag;
    if (lag > 0) lagging += 1;
  }
  const active = total > params.activationLagThreshold;
  const { allowIdleConsumers, limitToPartitionsWithLag, ensureEvenDistributionOfPartitions } = params;
  let metric = total;
  if (!allowIdleConsumers || limitToPartitionsWithLag || ensureEvenDistributionOfPartitions) {
    let bound = partitions.length;
    if (ensureEvenDistributionOfPartitions) {
      const factors = partitions.map((_, i) => i + 1).filter((factor) => partitions.length % factor === 0);
      metric = (factors.find((factor) => factor * threshold >= total) ?? partitions.length) * threshold;
    }
    if (limitToPartitionsWithLag) bound = lagging;
    if (Math.trunc(metric / threshold) > bound) metric = bound * threshold;
  }
  return { metric, active };
}
