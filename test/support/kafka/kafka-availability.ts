import { findDistribution, withStats } from '../../../src/demo/kafka/distribution.ts';
import { ScalerError } from '../../../src/errors.ts';

const answers = new Map<boolean, Promise<string | undefined>>();

/**
 * Why there can be no broker here (no Java, no Maven), said once; undefined where there can. Throws instead when
 * `CI` is set, so that a test run cannot pass by skipping. Statistics need the Java compiler too.
 */
export async function whyNoKafka({ stats = false }: { stats?: boolean } = {}): Promise<string | undefined> {
  const answer = answers.get(stats) ?? look(stats);
  answers.set(stats, answer);
  return await answer;
}

async function look(stats: boolean): Promise<string | undefined> {
  try {
    const distribution = await findDistribution((line) => console.error(line));
    if (stats) await withStats(distribution);
    return undefined;
  } catch (error) {
    if (process.env['CI']) throw error;
    const { message } = ScalerError.from(error);
    console.warn(`Kafka tests are skipped: ${message}`);
    return message;
  }
}
