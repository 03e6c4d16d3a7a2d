import { createHmac } from 'node:crypto';

export interface HookOptions {
  readonly url: string;
  readonly secret: string;
  /** Default: `workflow_job` and `workflow_run`. */
  readonly events?: readonly string[];
  readonly contentType?: 'json' | 'form';
  /** The owner of the hook. Default: the App, if one exists. */
  readonly of?: 'app' | 'organization' | 'repository';
}

export interface Hook extends Required<HookOptions> {
  readonly id: number;
  /** The ID of the App, organization or repository that has the hook. */
  readonly targetId: number;
}

/** The raw body as this hook sends it, and the headers that prove it. */
export function sealed(hook: Hook, body: object): { raw: Buffer; headers: Record<string, string> } {
  const json = JSON.stringify(body);
  const form = hook.contentType === 'form';
  const raw = Buffer.from(form ? new URLSearchParams({ payload: json }).toString() : json);
  return {
    raw,
    headers: {
      'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
      'x-hub-signature-256': `sha256=${createHmac('sha256', hook.secret).update(raw).digest('hex')}`,
    },
  };
}
