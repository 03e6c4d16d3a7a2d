import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';

const page = readFileSync(new URL('../../docs/kafka.md', import.meta.url), 'utf8');

it('docs/kafka.md makes a KafkaUser for each tenant, of its one', () => {
  const [user = ''] = page.match(/(?<=^```yaml\n)[^`]*^kind: KafkaUser$[^`]*/m) ?? [];
  const commands = page.match(/^sed .* user\.yaml(?= \| kubectl apply -f -$)/gm) ?? [];
  const users = commands.map((command) => {
    const piped = command.replace(/user\.yaml$/, '');
    const { metadata, spec } = parse(execFileSync('bash', ['-c', piped], { input: user, encoding: 'utf8' }));
    return [
      metadata.name,
      ...spec.authorization.acls.map(({ resource }: { resource: { name: string } }) => resource.name),
    ];
  });
  expect(users).toEqual([
    ['backlog-scaler-shop', 'orders', 'order-workers'],
    ['backlog-scaler-bank', 'payments', 'payment-workers'],
  ]);
  for (const [name] of users) expect(page).toContain(`username: ${name}, passwordFile: `);
});
