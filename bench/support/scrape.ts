import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface Scrape {
  readonly tookMs: number;
  readonly bytes: number;
}

/** Started by the first scrape, for all: the start of a thread would be felt by what is measured beside it. */
let worker: Worker | undefined;

/** Asks for /metrics once, in another thread (scraper.ts); one after the other. */
export async function scrape(url: string): Promise<Scrape> {
  worker ??= new Worker(new URL('./scraper.ts', import.meta.url));
  worker.ref();
  worker.postMessage(url);
  const [answer]: Scrape[] = await once(worker, 'message');
  worker.unref();
  if (answer === undefined) throw new Error(`${url} was not scraped`);
  return answer;
}
