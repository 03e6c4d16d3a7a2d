import { z } from 'zod';
import { type FileSettings, sectionFiles } from '../../src/config/files.ts';
import { configSchema, connectionSchema, startSettings } from '../../src/config/schema.ts';
import { withFileKeys } from '../../src/config/validate.ts';
import { natsSettings } from '../../src/outbound/nats.ts';
import { tlsFiles, tlsSettings } from '../../src/outbound/tls.ts';
import { type AnySource, leastSecretLength } from '../../src/sources/source.ts';
import { type Schema, type SchemaRow, schemaRows } from './schema-rows.ts';
import { code, keyCell, list, table } from './table.ts';

const intro = `# Configuration

<!-- Made by \`npm run docs\` from the configuration's schema: change that, not this page. -->

\`backlog-scaler serve --config FILE\` reads one YAML file:

\`\`\`yaml
connections:
  orders:
    source: kafka
    bootstrapServers: [kafka-0.kafka:9093]
    tls:
      caFile: /etc/backlog-scaler-kafka/ca.crt
    sasl:
      mechanism: scram-sha-512
      username: backlog-scaler
      passwordFile: /etc/backlog-scaler-kafka/password
    namespaces: [shop, "team-*"]
\`\`\`

- **Chart.** All of it goes under \`config\` of the values, except \`grpc.tls\`, \`eventLog.dir\`, \`host\` and \`port\`: use \`tls\`, \`persistence\`
  and \`service.port\`. An entry \`kafka\` of \`secretMounts\` makes each key of its Secret a file \`/etc/backlog-scaler-kafka/KEY\`.
- **Strict.** All errors are listed at once, unknown keys with the nearest known one. The exit code is 2.
- **Variables.** \`\${NAME}\` is that environment variable, which must be set. \`$\${\` stands for the characters.
- **Files.** A \`…File\` key reads its value from a file, a \`…Files\` key a list: UTF-8, at most 1 MiB, paths relative to the configuration.
  Line ends are cut. A secret that lets callers in has at least ${leastSecretLength} characters.
- **Changes.** Files are checked every 5 seconds, and on SIGHUP. A change applies
  [as a whole or not at all](operations.md#changes-of-the-configuration): *live* at once, *restart* at the next start (the log lists them).
  *reopens* opens the connection again. Files of \`grpc.tls\` are always live.
- **Guards.** Against truncated files a running pod refuses to lose \`admin.token\`, \`grpc.tls\`, its \`clientCaFile\` or
  \`allowedClientNames\`, or \`namespaces\` of a connection. Restart to drop them, or write \`namespaces: ["*"]\`.
- **Tenants.** \`namespaces\` separates them only if KEDA alone can call. The chart's NetworkPolicy, on by default, ensures that where the
  network enforces it, \`grpc.tls.clientCaFile\` everywhere.

A key without default or mark takes text, or the keys below it.
`;

export function configurationPage(sources: readonly AnySource[]): string {
  const { properties = {} } = jsonSchema(configSchema);
  const { connections, ...sections } = properties;
  const parts = [intro];
  for (const [name, section] of Object.entries(sections)) {
    const files = sectionFiles[name] ?? {};
    const keys = rowsOf(section).map(({ path }) => path[0] ?? '');
    const about = `${section.description} ${when(keys, (key) => whenTaken(name, key))}`;
    parts.push(`## \`${name}\`\n\n${about}\n\n${sectionKeys(section, files)}\n`);
  }
  parts.push(
    `## \`connections\`\n\n${connections?.description} Each has:\n\n${keyTable(rowsOf(jsonSchema(connectionSchema)), {})}\n`,
  );
  for (const { kind, config, files = {}, local = [] } of sources) {
    const rows = rowsOf(jsonSchema(config));
    const keys = rows.map(({ path }) => path[0] ?? '');
    const taken = when(keys, (key) => (local.includes(key) ? 'live' : 'reopens'));
    parts.push(`### \`source: ${kind}\`\n\n${taken}\n\n${keyTable(rows, files)}\n`);
  }
  parts.push(`### \`tls\`\n\nOf a connection and of \`eventLog\`.\n\n${keyTable(tlsRows, tlsFiles)}\n`);
  return parts.join('\n');
}

/** A section without a shape is a union, and takes effect only at the start. */
function whenTaken(section: string, key: string): string {
  const start = Object.entries(startSettings).find(([name]) => name === section)?.[1];
  const isStart = start !== undefined && (!('shape' in start) || key in start.shape);
  return isStart ? 'restart' : 'live';
}

/** `*restart*; *live*: \`token\``: what most keys have, and the others by name. */
function when(keys: readonly string[], of: (key: string) => string): string {
  const byWhen = new Map<string, string[]>();
  for (const key of new Set(keys.map((one) => one.replace(/\[\]$/, ''))))
    byWhen.set(of(key), [...(byWhen.get(of(key)) ?? []), key]);
  const [most, ...others] = [...byWhen].toSorted(([, a], [, b]) => b.length - a.length);
  const rest = others.map(([name, names]) => `; *${name}*: ${names.map(code).join(', ')}`);
  return `(*${most?.[0]}*${rest.join('')})`;
}

/** Where a section is one of several by its `type`, a table for each. */
function sectionKeys(section: Schema, files: FileSettings): string {
  if (section.oneOf === undefined) return keyTable(rowsOf(section), files);
  const tables = section.oneOf.map((member) => {
    const rows = rowsOf(member).filter(({ path }) => path[0] !== 'type');
    const own = rows.filter(({ path }) => !Object.hasOwn(natsSettings, path[0] ?? ''));
    const like =
      own.length === rows.length
        ? ''
        : `\n\n${Object.keys(natsSettings).map(code).join(', ')}: as for [\`source: nats\`](#source-nats).`;
    return `With \`type: ${member.properties?.['type']?.const}\`:\n\n${keyTable(own, files)}${like}`;
  });
  return tables.join('\n\n');
}

/** Without what the section about \`tls\` has. */
function rowsOf(schema: Schema): SchemaRow[] {
  return schemaRows(schema).filter(
    ({ path: [section, key, ...deeper], doc }) =>
      section !== 'tls' ||
      deeper.length > 0 ||
      !tlsRows.some((row) => row.path[1] === key && row.doc === doc),
  );
}

function keyTable(shown: readonly SchemaRow[], files: FileSettings): string {
  const rows = shown.map(({ path, types, fallback, isRequired, doc }): [string, string] => {
    const at = path.slice(0, -1);
    const spellings = withFileKeys(path.slice(-1), files).map((key) => [...at, key].join('.'));
    return [keyCell(spellings, types, fallback, isRequired), doc];
  });
  return rows.length <= 2 ? list(rows, '.') : table(['key: default', 'meaning'], rows);
}

function jsonSchema(schema: z.ZodType): Schema {
  // A copy, because zod's own type has every keyword.
  const written: Schema = JSON.parse(
    JSON.stringify(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' })),
  );
  return written;
}

const tlsRows = schemaRows(jsonSchema(tlsSettings('')), ['tls']);
