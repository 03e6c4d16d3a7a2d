import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface Scrape {
  readonly tookMs: number;
  readonly bytes: number;
}

/** Started once, by the first scrape. Starting a thread would disturb the measurement beside it. */
let worker: Worker | undefined;

/** Requests /metrics once, in another thread (scraper.ts). One request after the other. */
export async function scrape(url: string): Promise<Scrape> {
  worker ??= new Worker(new URL('./scraper.ts', import.meta.url)).once('exit', () => {
    worker = undefined;
  });
  worker.ref();
  worker.postMessage(url);
  const [answer]: Scrape[] = await once(worker, 'message');
  worker.unref();
  if (answer === undefined) throw new Error(`${url} was not scraped`);
  return answer;
}
