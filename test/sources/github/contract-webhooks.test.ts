import { verify } from '@octokit/webhooks-methods';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeGitHub } from '../../../fakes/github/fake-github.ts';
import { type Receiver, startReceiver } from '../../support/github/receiver.ts';
import {
  pingExamples,
  signed,
  type WebhookExample,
  workflowJobExamples,
  workflowRunExamples,
} from '../../support/github/webhook-examples.ts';

type Body = Readonly<Record<string, unknown>>;

let github: FakeGitHub;
let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
  github = await FakeGitHub.start({ owner: 'acme', app: { id: 42, installationId: 7 } });
  github.hook({ url: receiver.url, secret: 's' });
  github.addRepo('shop');
});

afterEach(async () => {
  await github.close();
  await receiver.close();
});

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** For each key of `part` in real payloads, its types there. */
function typesIn(examples: readonly WebhookExample[], part: string): Map<string, Set<string>> {
  const types = new Map<string, Set<string>>();
  for (const { body } of examples) {
    const object = body[part];
    if (!isObject(object)) continue;
    for (const [key, value] of Object.entries(object))
      types.set(key, (types.get(key) ?? new Set<string>()).add(typeOf(value)));
  }
  return types;
}

/** Keys of `part` in real payloads of this event that this body lacks, or has in another form. */
function differences(body: Body, part: string, examples: readonly WebhookExample[]): string[] {
  const object = body[part];
  if (!isObject(object)) return [`${part} is missing`];
  const sameAction = typesIn(
    examples.filter(({ action }) => action === body['action']),
    part,
  );
  const anyAction = typesIn(examples, part);
  const found: string[] = [];
  for (const [key, types] of sameAction) {
    const type = typeOf(object[key]);
    const nullElsewhere = type === 'null' && anyAction.get(key)?.has('null') === true;
    if (!types.has(type) && !nullElsewhere)
      found.push(`${part}.${key} is ${type}, not ${[...types].join('|')}`);
  }
  return found;
}

/** One of every kind of payload. */
async function allPayloads(): Promise<void> {
  const run = github.startRun('shop', {
    jobs: [{ labels: ['gpu'] }, { labels: ['gpu'], environment: true }],
  });
  for (const [index, job] of run.jobs.entries()) {
    if (job.environment) github.approve(job.id);
    github.pick(job.id, `runner-${index}`);
    github.complete(job.id);
  }
  await github.delivered();
}

describe('a payload, compared with real ones of GitHub', () => {
  it.each(['workflow_job', 'repository', 'sender', 'organization', 'installation'])(
    'of a job has every key of %s, with its type',
    async (part) => {
      await allPayloads();
      const bodies = receiver.bodies('workflow_job');
      const actions = new Set(bodies.map((body) => body['action']));
      expect([...actions].sort()).toEqual(['completed', 'in_progress', 'queued', 'waiting']);
      expect(bodies.flatMap((body) => differences(body, part, workflowJobExamples))).toEqual([]);
    },
  );

  it('of a job behind a gate names the deployment', async () => {
    await allPayloads();
    const gated = receiver.bodies('workflow_job').filter((body) => body['deployment'] !== undefined);
    expect(gated).toMatchObject([{ action: 'queued', workflow_job: { status: 'waiting' } }]);
    expect(gated.flatMap((body) => differences(body, 'deployment', workflowJobExamples))).toEqual([]);
  });

  it.each(['workflow_run', 'workflow', 'repository', 'sender', 'organization'])(
    'of a run has every key of %s, with its type',
    async (part) => {
      await allPayloads();
      const bodies = receiver.bodies('workflow_run');
      const actions = bodies.map((body) => body['action']);
      expect(actions.sort()).toEqual(['completed', 'in_progress', 'requested']);
      expect(bodies.flatMap((body) => differences(body, part, workflowRunExamples))).toEqual([]);
    },
  );

  it('of a ping names the hook', async () => {
    github.ping(github.hook({ url: receiver.url, secret: 's', of: 'organization' }));
    await github.delivered();
    const [body = {}] = receiver.bodies('ping');
    const ofOrganization = pingExamples.filter((example) => example.body['organization'] !== undefined);
    expect(ofOrganization).toHaveLength(1);
    expect(differences(body, 'hook', ofOrganization)).toEqual([]);
  });

  it('shows its differences', () => {
    const [example] = workflowJobExamples;
    const body = {
      action: 'in_progress',
      workflow_job: { ...Object(example?.body['workflow_job']), id: '1' },
    };
    expect(differences(body, 'workflow_job', workflowJobExamples)).toContain(
      'workflow_job.id is string, not number',
    );
  });
});

describe('the examples', () => {
  it('exist', () => {
    const counts = [workflowJobExamples, workflowRunExamples, pingExamples].map(({ length }) => length);
    expect(counts).toEqual([8, 5, 4]);
  });

  it('are signed so that Octokit accepts them', async () => {
    for (const example of pingExamples) {
      const { headers, raw } = signed(example, 'secret');
      const signature = headers['x-hub-signature-256'] ?? '';
      expect(await verify('secret', raw.toString(), signature)).toBe(true);
      expect(await verify('other', raw.toString(), signature)).toBe(false);
    }
  });
});
