import type { TestKafka } from './broker.ts';

const offsetsTopic = '__consumer_offsets';

/** The node ID that keeps the group's commits. It leads the partition that the group's name hashes to. */
export async function coordinatorOf(kafka: TestKafka, group: string): Promise<number> {
  const leaders = await kafka.leaders(offsetsTopic);
  const leader = leaders[positive(javaHash(group)) % Object.keys(leaders).length];
  if (leader === undefined) throw new Error(`group ${group} has no coordinator`);
  return leader;
}

/** A new name of a group that this node coordinates. */
export async function groupAt(kafka: TestKafka, nodeId: number): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const group = kafka.name('group');
    if ((await coordinatorOf(kafka, group)) === nodeId) return group;
  }
  throw new Error(`broker ${nodeId} coordinates no groups`);
}

/** java.lang.String.hashCode */
function javaHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) hash = (Math.imul(31, hash) + text.charCodeAt(at)) | 0;
  return hash;
}

/** org.apache.kafka.common.utils.Utils.abs, except for the one number without a positive counterpart. */
function positive(hash: number): number {
  return Math.abs(hash);
}
