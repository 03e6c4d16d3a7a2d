import { randomUUID } from 'node:crypto';
import { secret } from './github-scaler.ts';
import { type Posted, post } from './ingest.ts';

/** A minimal `workflow_job` of the repository `web` of `acme`. */
export function jobPayload(
  action: string,
  job: Readonly<Record<string, unknown>> | null = {},
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const base = {
    id: 900_000_001,
    run_id: 900_000,
    run_attempt: 1,
    status: action,
    labels: ['self-hosted'],
    created_at: new Date().toISOString(),
    started_at: new Date().toISOString(),
  };
  return {
    action,
    workflow_job: job === null ? null : { ...base, ...job },
    repository: { name: 'web', full_name: 'acme/web', owner: { login: 'acme' } },
    organization: { login: 'acme' },
    ...more,
  };
}

export interface SendOptions {
  readonly signedWith?: string;
  readonly event?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a webhook. By default it is signed with the secret of the connection `ci`. */
export function send(port: number, body: unknown, options: SendOptions = {}): Promise<Posted> {
  const { signedWith = secret, event = 'workflow_job', path = '/ingest/github', headers } = options;
  return post(port, {
    path,
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    secret: signedWith,
    headers: { 'x-github-event': event, 'x-github-delivery': randomUUID(), ...headers },
  });
}
