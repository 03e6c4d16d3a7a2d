/** Does a job for every item, a few at a time. */
export async function inParallel<T>(
  atOnce: number,
  items: Iterable<T>,
  job: (item: T) => Promise<unknown>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = left.next(); !next.done; next = left.next()) await job(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
