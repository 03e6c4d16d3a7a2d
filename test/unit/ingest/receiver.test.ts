import { expect, it } from 'vitest';
import { receiversOf } from '../../../src/ingest/receiver.ts';
import { hintSource } from '../../support/hint-source.ts';
import { ingestSource } from '../../support/ingest-source.ts';

const of = (name: string, config: object) => ({ name, source: ingestSource, config });

it('are the connections whose source takes webhooks and that have a secret', () => {
  const receivers = receiversOf([
    of('ci', { owner: 'acme', webhookSecrets: ['a', 'b'] }),
    of('silent', { owner: 'acme' }),
    of('empty', { owner: 'acme', webhookSecrets: [''] }),
    { name: 'jobs', source: hintSource, config: {} },
  ]);
  expect(receivers).toMatchObject([{ name: 'ci', kind: 'github', secrets: ['a', 'b'] }]);
  const payload = { action: 'queued', owner: 'acme', job: 1 };
  expect(receivers[0]?.owns(payload)).toBe(true);
  expect(receivers[0]?.owns({ ...payload, owner: 'other' })).toBe(false);
  expect(receivers[0]?.fact('workflow_job', payload)).toEqual({ action: 'queued', job: 1 });
});
