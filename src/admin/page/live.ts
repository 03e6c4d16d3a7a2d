import { Refused, request } from './api.ts';
import type { Change, Tick } from './wire.ts';

export type Link = 'connecting' | 'live' | 'lost' | 'full';

/** Hears what the scaler tells. */
export interface Listener {
  /** A new stream begins: it sends everything again. */
  begin(): void;
  change(change: Change): void;
  tick(tick: Tick): void;
  link(state: Link): void;
}

/** The scaler says something every few seconds. */
const silenceMs = 30_000;
const mostWaitMs = 15_000;

/** Follows what the scaler tells, again and again. `fetch` and not EventSource, which cannot show a token. */
export async function follow(listener: Listener): Promise<never> {
  let waitMs = 500;
  for (;;) {
    let state: Link = 'lost';
    try {
      await followOnce(listener, () => {
        waitMs = 500;
      });
    } catch (reason) {
      if (reason instanceof Refused && reason.status === 503) state = 'full';
    }
    listener.link(state);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    waitMs = Math.min(2 * waitMs, mostWaitMs);
  }
}

/** Until the stream ends. */
async function followOnce(listener: Listener, heard: () => void): Promise<void> {
  const abort = new AbortController();
  let late: number | undefined;
  try {
    const { body } = await request('api/live', abort.signal);
    if (!body) return;
    listener.begin();
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let left = '';
    for (;;) {
      clearTimeout(late);
      late = setTimeout(() => abort.abort(), silenceMs);
      const { done, value } = await reader.read();
      if (done) return;
      const events = (left + value).split('\n\n');
      left = events.pop() ?? '';
      for (const event of events) take(event, listener);
      heard();
    }
  } finally {
    clearTimeout(late);
    abort.abort();
  }
}

function take(event: string, listener: Listener): void {
  const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? [];
  if (name === 'change' && data !== undefined) listener.change(JSON.parse(data));
  if (name === 'tick' && data !== undefined) {
    listener.tick(JSON.parse(data));
    listener.link('live');
  }
}
