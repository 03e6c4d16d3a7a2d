import { type Param, type ParamsSchema, usually } from '../../src/params/schema.ts';
import type { AnySource } from '../../src/sources/source.ts';
import { commonParams, kedaOwnKeys } from '../../src/triggers/common-params.ts';
import { maxMetadataBytes, maxMetadataKeys } from '../../src/triggers/reference.ts';
import { code, table } from './table.ts';

const intro = `# Triggers

<!-- Made by \`npm run docs\` from the parameter schemas: change those, not this page. -->

A trigger is the \`metadata\` of an \`external\` or \`external-push\` trigger of a ScaledObject or ScaledJob:

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

Values are written as for KEDA's own scalers. All of them are text. They are trimmed, and an empty one counts as missing. A
boolean is what Go takes for one (\`true\`, \`false\`, \`1\`, \`0\`, \`t\`, \`f\`). A list is separated by commas, ranges look like
\`1,3-5\`, and numbers are decimal. \`xFromEnv\` stands for \`x\` with its value from the environment of the workload; where both
are given, the plain \`x\` wins. An unknown key is an error that names the nearest known one, and all errors come in one
message.

Where nothing else is said, a text has at most ${usually.text} characters, a list ${usually.members} members of at most ${usually.text} characters
each, ranges ${usually.ranges} numbers and ranges, and a number is at most ${usually.number}. All of the metadata has at most
${maxMetadataKeys} keys and ${maxMetadataBytes / 1024} KiB. What is beyond is refused.

KEDA's own keys may be there and are not looked at: ${kedaOwnKeys.map(code).join(', ')}.
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
      : `\n\`maxStalenessSeconds\` is ${maxStalenessSeconds} where it is left out.\n`;
  const heading = `\n## \`source: ${source.kind}\`\n${own}`;
  const keys = Object.entries(source.connectionKeys);
  if (keys.length === 0) return `${heading}\n${params(source.params)}`;
  return [
    heading,
    params(source.params),
    '\nThese keys of KEDA’s own scaler belong to the connection. They may stay in a trigger:\n',
    table(
      ['key', 'meaning'],
      keys.map(([name, { doc }]) => [code(name), doc]),
    ),
  ].join('\n');
}

function params<P>({ table: known }: ParamsSchema<P>): string {
  return table(
    ['key', 'type', 'default', 'meaning'],
    Object.entries<Param<unknown>>(known).map(([name, { type, doc, most, required, defaultText }]) => [
      code(name),
      type,
      required ? '**required**' : code(defaultText),
      [doc, mostOf(type, most)].filter(Boolean).join(' '),
    ]),
  );
}

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
