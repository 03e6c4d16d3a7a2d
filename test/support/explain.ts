import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { z } from 'zod';
import { type Ran, runHere } from './run-here.ts';

const row = z.object({
  name: z.string(),
  items: z.number(),
  because: z.string(),
  said: z.record(z.string(), z.union([z.string(), z.number()])),
});
const answer = z.object({
  rpc: z.string(),
  kind: z.string(),
  fields: z.record(z.string(), z.string()).optional(),
  code: z.string().optional(),
  message: z.string().optional(),
});
const trigger = z.object({
  title: z.string(),
  faults: z.array(z.string()),
  detail: z.record(z.string(), z.unknown()).optional(),
  working: z
    .object({
      unit: z.string(),
      rows: z.array(row),
      more: z.object({ rows: z.number(), items: z.number() }),
      rules: z.array(z.string()),
    })
    .optional(),
  answers: z.array(answer),
  notes: z.array(z.string()),
});
export const explainedJson = z.object({
  resources: z.array(z.object({ triggers: z.array(trigger), scaling: z.unknown().optional() })),
});

export type ExplainedTrigger = z.infer<typeof trigger>;

/** A ScaledObject in namespace `shop`, as YAML. */
export function scaledObject(name: string, metadata: Readonly<Record<string, string>>): string {
  return stringify({
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name, namespace: 'shop' },
    spec: {
      scaleTargetRef: { name },
      triggers: [
        { type: 'external-push', metadata: { scalerAddress: 'backlog-scaler.keda:6000', ...metadata } },
      ],
    },
  });
}

/** Runs `explain -f -` to its end. */
export function explain(args: readonly string[], input: string): Promise<Ran> {
  return runHere(['explain', '-f', '-', ...args], { input });
}

/** The only trigger in the output of `explain -o json`, and the exit code. */
export async function explainOne(args: readonly string[], input: string) {
  const { code, stdout, stderr } = await explain([...args, '-o', 'json'], input);
  const only = explainedJson.parse(JSON.parse(stdout)).resources[0]?.triggers[0];
  if (only === undefined) throw new Error(`no trigger in ${stdout}${stderr}`);
  return { code, ...only };
}

/** `[name, items, why]` of each part of its number. */
export function partsOf({ working }: ExplainedTrigger) {
  return working?.rows.map(({ name, items, because }) => [name, items, because]);
}

/** The section under this heading in a text about a trigger. */
export function sectionOf(text: string, heading: string): string {
  const lines = text.split('\n');
  const from = lines.indexOf(`  ${heading}`);
  if (from < 0) throw new Error(`no section ${heading} in\n${text}`);
  const length = lines.slice(from + 1).findIndex((line) => !line.startsWith('    '));
  return `${lines.slice(from, from + 1 + length).join('\n')}\n`;
}

/** The block in docs/explain.md in this language that contains this text. */
export function docsExample(language: string, having: string): string {
  const page = readFileSync(new URL('../../docs/explain.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, name]) => name === language);
  const found = blocks.map(([, , block = '']) => block).find((block) => block.includes(having));
  if (found === undefined) throw new Error(`docs/explain.md has no ${language} with ${having}`);
  return found;
}
