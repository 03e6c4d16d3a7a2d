import { createHmac } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout } from 'node:timers/promises';

export interface HonestSender {
  readonly port: number;
  readonly path: string;
  readonly secret: string;
  readonly owner: string;
}

/** The outcome of the webhooks. */
export interface Honest {
  /** For each accepted webhook, the time from its first byte to the whole answer. */
  readonly tookMs: readonly number[];
  /** For each other one, the status or the error. */
  readonly lost: readonly string[];
}

/** Sends signed webhooks as GitHub does, each on its own connection, at a fixed rate, whether or not answers come. */
export async function honestWebhooks(
  sender: HonestSender,
  { perSecond, count }: { perSecond: number; count: number },
): Promise<Honest> {
  const tookMs: number[] = [];
  const lost: string[] = [];
  const sent: Promise<void>[] = [];
  const startedMs = performance.now();
  while (sent.length < count) {
    const due = ((performance.now() - startedMs) * perSecond) / 1000;
    while (sent.length < Math.min(due, count)) {
      sent.push(
        post(sender, sent.length).then(
          (ms) => void tookMs.push(ms),
          (reason: unknown) => void lost.push(reason instanceof Error ? reason.message : String(reason)),
        ),
      );
    }
    await setTimeout(1);
  }
  await Promise.all(sent);
  return { tookMs, lost };
}

/** Resolves with the time in ms. Rejects if the webhook was not accepted. */
function post({ port, path, secret, owner }: HonestSender, job: number): Promise<number> {
  const body = payloadOf(owner, job);
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      port,
      path,
      method: 'POST',
      agent: false,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'x-github-event': 'workflow_job',
        'x-github-delivery': `delivery-${job}`,
        'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
      },
    });
    sent.on('error', reject);
    sent.once('response', (response) => {
      response.on('error', reject).resume();
      response.once('end', () => {
        if (response.statusCode === 202) resolve(performance.now() - startedMs);
        else reject(new Error(`answered with ${response.statusCode}`));
      });
    });
    sent.end(body);
  });
}

/** Makes bodies as large as GitHub's. Only a small part of them matters. */
const padding = 'x'.repeat(12_000);

function payloadOf(owner: string, job: number): string {
  const name = 'web';
  return JSON.stringify({
    action: 'queued',
    workflow_job: {
      id: job + 1,
      run_id: job + 1,
      run_attempt: 1,
      status: 'queued',
      labels: ['self-hosted'],
      steps: [],
      head_branch: padding,
    },
    repository: { id: 1, name, full_name: `${owner}/${name}`, owner: { login: owner } },
  });
}
