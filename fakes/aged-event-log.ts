import { LevelStore } from '../src/event-log/level-store.ts';

/** Makes a log on disk look old: as if it had every event of these connections since then. */
export async function age(
  dir: string,
  connections: readonly string[],
  ageMs = 366 * 86_400_000,
): Promise<void> {
  const store = new LevelStore(dir);
  await store.open();
  const heads = await store.heads();
  for (const connection of connections) {
    const head = heads.get(connection) ?? { first: 1, checked: 0 };
    await store.putHead(connection, { ...head, since: { atMs: Date.now() - ageMs, because: 'new' } });
  }
  if ((await store.written()) === undefined) await store.write(0);
  await store.close();
}
