import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** A payload that GitHub has really sent, from @octokit/webhooks-examples. */
export interface WebhookExample {
  readonly event: 'workflow_job' | 'workflow_run' | 'ping';
  readonly action: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
  /** For the name of a test. */
  readonly title: string;
}

interface Listed {
  readonly name: string;
  readonly examples: readonly Readonly<Record<string, unknown>>[];
}

const listed: Listed[] = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve('@octokit/webhooks-examples'), 'utf8'),
);

function examplesOf(event: WebhookExample['event']): WebhookExample[] {
  const examples = listed.find(({ name }) => name === event)?.examples ?? [];
  return examples.map((body, index) => {
    const action = typeof body['action'] === 'string' ? body['action'] : undefined;
    return { event, action, body, title: `${event} ${action ?? ''} #${index + 1}` };
  });
}

export const workflowJobExamples: readonly WebhookExample[] = examplesOf('workflow_job');
export const workflowRunExamples: readonly WebhookExample[] = examplesOf('workflow_run');
export const pingExamples: readonly WebhookExample[] = examplesOf('ping');

/** A body and its headers, as GitHub sends them. */
export function signed(
  { event, body }: Pick<WebhookExample, 'event' | 'body'>,
  secret: string,
  guid = '72d3162e-cc78-11e3-81ab-4c9367dc0958',
): { raw: Buffer; headers: Record<string, string> } {
  const raw = Buffer.from(JSON.stringify(body));
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/044aadd',
    'x-github-event': event,
    'x-github-delivery': guid,
    'x-github-hook-id': '292430182',
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(raw).digest('hex')}`,
  };
  return { raw, headers };
}
