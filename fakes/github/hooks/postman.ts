import { Agent, request } from 'node:http';
import { type Hook, sealed } from './hook.ts';
import type { Outcome, Parcel } from './parcel.ts';

const maxUnderWay = 32;
/** GitHub waits ten seconds for a receiver. */
const answerLimitMs = 10_000;

interface Errand {
  readonly hook: Hook;
  readonly parcel: Parcel;
  readonly done: (outcome: Outcome) => void;
}

/** Delivers parcels to their hooks, a bounded number at a time, over kept connections. */
export class Postman {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: maxUnderWay });
  private readonly waiting = new Set<Errand>();
  private underWay = 0;
  private closed = false;

  send(errand: Errand): void {
    this.waiting.add(errand);
    this.next();
  }

  close(): void {
    this.closed = true;
    this.waiting.clear();
    this.agent.destroy();
  }

  private next(): void {
    while (!this.closed && this.underWay < maxUnderWay) {
      const [errand] = this.waiting;
      if (errand === undefined) return;
      this.waiting.delete(errand);
      this.underWay++;
      void this.bring(errand).then((outcome) => {
        this.underWay--;
        errand.done(outcome);
        this.next();
      });
    }
  }

  private bring({ hook, parcel }: Errand): Promise<Outcome> {
    const { raw, headers } = sealed(hook, parcel.body(hook));
    const startedAtMs = performance.now();
    return new Promise((resolve) => {
      const settle = (statusCode: number, status: string): void =>
        resolve({ statusCode, status, durationSeconds: (performance.now() - startedAtMs) / 1000 });
      const out = request(hook.url, {
        method: 'POST',
        agent: this.agent,
        timeout: answerLimitMs,
        headers: { ...headers, ...describing(hook, parcel), 'content-length': raw.length },
      });
      out.on('response', (response) => {
        const code = response.statusCode ?? 0;
        response.resume();
        response.on('end', () => settle(code, code < 400 ? 'OK' : `Invalid HTTP Response: ${code}`));
        response.on('error', () => settle(502, 'failed to connect'));
      });
      out.on('timeout', () => {
        settle(504, 'timed out');
        out.destroy();
      });
      out.on('error', () => settle(502, 'failed to connect'));
      out.end(raw);
    });
  }
}

function describing(hook: Hook, parcel: Parcel): Record<string, string> {
  return {
    accept: '*/*',
    'user-agent': 'GitHub-Hookshot/7f4d2a1',
    'x-github-event': parcel.event,
    'x-github-delivery': parcel.guid,
    'x-github-hook-id': String(hook.id),
    'x-github-hook-installation-target-type': hook.of === 'app' ? 'integration' : hook.of,
    'x-github-hook-installation-target-id': String(hook.targetId),
  };
}
