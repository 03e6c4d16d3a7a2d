import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { chartConfig, parseChartValues } from '../support/chart-values.ts';
import { loadExample } from '../support/example-config.ts';

const page = readFileSync(new URL('../../docs/sqs.md', import.meta.url), 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^ *\`\`\`${language}\\n(.*?)^ *\`\`\`$`, 'gms'))].map(
    ([, block = '']) => block,
  );

const texts = z.union([z.string().transform((one) => [one]), z.array(z.string())]);
const statement = z.object({
  Effect: z.literal('Allow'),
  Action: texts,
  Principal: z.record(z.string(), z.string()).optional(),
  Resource: z.string().optional(),
  Condition: z.record(z.string(), z.record(z.string(), z.string())).optional(),
});
const policy = z.object({ Version: z.literal('2012-10-17'), Statement: z.array(statement).min(1) });
const statements = blocks('json').flatMap((text) => policy.parse(JSON.parse(text)).Statement);

it('docs/sqs.md: the policies of two accounts name each other, and what the connection says', async () => {
  const configs = blocks('yaml').filter((block) => block.includes('roleArn:'));
  expect(configs).toHaveLength(1);
  const { connections } = await loadExample(chartConfig(parseChartValues(configs.join('\n'))));
  const { roleArn, externalId } = z
    .looseObject({ roleArn: z.string(), externalId: z.string() })
    .parse(connections.get('partner')?.config);
  const [trusting, tagging] = statements.filter(({ Principal }) => Principal?.['AWS'] !== undefined);
  const assuming = statements.find(({ Resource }) => Resource?.startsWith('arn:aws:iam:'));
  const [, scaler = ''] = /--role-arn (\S+)/.exec(page) ?? [];
  expect(scaler).toMatch(/^arn:aws:iam::\d{12}:role\/[\w-]+$/);
  expect(trusting).toMatchObject({
    Principal: { AWS: scaler },
    Condition: { StringEquals: { 'sts:ExternalId': externalId } },
  });
  expect(assuming?.Resource).toBe(roleArn);
  expect(trusting?.Action).toEqual(['sts:AssumeRole']);
  // The session tags of EKS Pod Identity are transitive, so the next role has to take them (EKS user guide, "Cross-account tags").
  // A request to tag has no external ID, so that is a statement of its own (EKS user guide, "Target IAM Roles").
  expect(tagging).toMatchObject({ Principal: { AWS: scaler }, Action: ['sts:TagSession'] });
  expect(tagging?.Condition).toBeUndefined();
  expect(assuming?.Action).toEqual(['sts:AssumeRole', 'sts:TagSession']);
  expect(roleArn.split(':')[4]).not.toBe(scaler.split(':')[4]);
});

it('docs/sqs.md: the role may do what the scaler asks of SQS, and nothing more', () => {
  const depth = statements.find(({ Resource }) => Resource?.startsWith('arn:aws:sqs:'));
  expect(depth?.Action).toEqual(['sqs:GetQueueAttributes', 'sqs:GetQueueUrl']);
});
