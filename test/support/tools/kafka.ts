import { findDistribution, withStats } from '../../../fakes/kafka/distribution.ts';
import { ScalerError } from '../../../src/errors.ts';
import { nowDoing } from './run.ts';
import { ToolMissing } from './tool-missing.ts';

/**
 * Fetches what a broker needs. Throws ToolMissing, for example without Java or Maven. Statistics also need a Java
 * compiler.
 */
export async function findKafka({ stats = false }: { stats?: boolean } = {}): Promise<void> {
  try {
    const distribution = await findDistribution(nowDoing);
    if (stats) await withStats(distribution);
  } catch (error) {
    throw new ToolMissing(ScalerError.from(error).message);
  }
}
