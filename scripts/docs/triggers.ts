import { stringify } from 'yaml';
import { type Param, type ParamsSchema, usually } from '../../src/params/schema.ts';
import type { AnySource } from '../../src/sources/source.ts';
import { commonParams, kedaOwnKeys } from '../../src/triggers/common-params.ts';
import { maxMetadataBytes, maxMetadataKeys } from '../../src/triggers/reference.ts';
import { code, keyCell, list, table } from './table.ts';

const intro = `# Triggers

<!-- Made by \`npm run docs\` from the parameter schemas: change those, not this page. -->

The \`metadata\` of an \`external-push\` trigger (of a ScaledJob: \`external\`):

\`\`\`yaml
triggers:
  - type: external-push
    metadata:
      scalerAddress: backlog-scaler.keda:6000
      source: kafka
      connection: orders
      consumerGroup: workers
      topic: orders
      lagThreshold: "50"
\`\`\`

As for KEDA's own scalers:

- A value is trimmed text; an empty one counts as missing. Numbers are decimal, booleans those of Go (\`true\`, \`false\`, \`1\`, \`0\`, \`t\`, \`f\`). Commas
  separate lists.
- \`xFromEnv\` is \`x\` with its value from the workload's environment. \`x\` wins over it. Secrets are refused without TLS on gRPC.
- All errors come in one message, unknown keys with the nearest known one.
- Unless a key says otherwise: ${usually.text} characters, ${usually.members} members of a list, ${usually.ranges} ranges, numbers up to ${usually.number}.
  All metadata has at most ${maxMetadataKeys} keys and ${maxMetadataBytes / 1024} KiB.
- Ignored: ${kedaOwnKeys.map(code).join(', ')}.
`;

export function triggersPage(sources: readonly AnySource[]): string {
  const parts = [intro, '## Every trigger\n', params(commonParams), ...sources.map(section)];
  return `${parts.join('\n')}\n`;
}

function section(source: AnySource): string {
  const { maxStalenessSeconds } = source;
  const own =
    maxStalenessSeconds === undefined
      ? ''
      : `\nThe default of \`maxStalenessSeconds\` is ${maxStalenessSeconds}.\n`;
  const heading = `\n## \`source: ${source.kind}\`\n${own}`;
  const keys = Object.entries(source.connectionKeys);
  if (keys.length === 0) return `${heading}\n${params(source.params)}`;
  return [heading, params(source.params), '\nKEDA’s own keys may stay:\n', list(byMeaning(keys), ':')].join(
    '\n',
  );
}

/** Keys that mean the same, in one line. */
function byMeaning(keys: readonly (readonly [string, { readonly doc: string }])[]): [string, string][] {
  const byDoc = new Map<string, string[]>();
  for (const [name, { doc }] of keys) byDoc.set(doc, [...(byDoc.get(doc) ?? []), code(name)]);
  return [...byDoc].map(([doc, names]) => [names.join(', '), doc]);
}

function params<P>({ table: known }: ParamsSchema<P>): string {
  return table(
    ['key: default', 'meaning'],
    Object.entries<Param<unknown>>(known).map(([name, { type, doc, most, required, defaultText }]) => [
      keyCell([name], typesOf(type), asYaml(defaultText), required),
      [doc, mostOf(type, most)].filter(Boolean).join(' '),
    ]),
  );
}

/** Metadata is text, so that numbers and booleans need quotes. */
function asYaml(text: string): string {
  return text === '' ? '' : stringify(text, { lineWidth: 0 }).trim();
}

/** Of `backlog \\| drain` both, as code. */
function typesOf(type: string): string[] {
  const types = type.split(' \\| ');
  return types.map((one) => (types.length === 1 || one === 'number' ? (typeNames[one] ?? one) : code(one)));
}

const typeNames: Readonly<Record<string, string>> = { string: 'text' };

/** What a value may be at most, where it is not the usual. */
function mostOf(
  type: string,
  { characters, members, memberCharacters, value }: Param<unknown>['most'],
): string {
  const parts: string[] = [];
  if (type === 'string' && characters !== usually.text) parts.push(`${characters} characters`);
  if (type === 'list' && members !== usually.members) parts.push(`${members} members`);
  if (type === 'list' && memberCharacters !== usually.text) parts.push(`${memberCharacters} characters each`);
  if (type === 'ranges' || (type === 'number' && value !== usually.number)) parts.push(String(value));
  return parts.length === 0 ? '' : `At most ${parts.join(', ')}.`;
}
