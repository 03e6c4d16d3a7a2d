import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface Scrape {
  readonly tookMs: number;
  readonly bytes: number;
}

/** Requests /metrics once, in another thread (scraper.ts). */
export async function scrape(url: string): Promise<Scrape> {
  const worker = new Worker(new URL('./scraper.ts', import.meta.url));
  try {
    worker.postMessage(url);
    const [answer]: Scrape[] = await once(worker, 'message');
    if (answer === undefined) throw new Error(`${url} was not scraped`);
    return answer;
  } finally {
    await worker.terminate();
  }
}
