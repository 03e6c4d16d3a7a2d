import type { IsolationLevel } from '../rules/snapshot.ts';

/** Kafka's number of an isolation level, as ListOffsets and Fetch carry it. */
export function isolationByte(level: IsolationLevel): number {
  return level === 'readCommitted' ? 1 : 0;
}
