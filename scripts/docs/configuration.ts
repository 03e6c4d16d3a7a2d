import { z } from 'zod';
import { type FileSettings, sectionFiles } from '../../src/config/files.ts';
import { configSchema, connectionSchema, startSettings } from '../../src/config/schema.ts';
import { withFileKeys } from '../../src/config/validate.ts';
import { type AnySource, leastSecretLength } from '../../src/sources/source.ts';
import { type Schema, schemaRows } from './schema-rows.ts';
import { code, table } from './table.ts';

const intro = `# Configuration

<!-- Made by \`npm run docs\` from the configuration's schema: change that, not this page. -->

\`backlog-scaler serve --config FILE\` reads one YAML file:

\`\`\`yaml
connections:
  orders:
    source: kafka
    bootstrapServers: [kafka-0.kafka:9093, kafka-1.kafka:9093]
    tls:
      caFile: /etc/backlog-scaler-kafka/ca.crt
    sasl:
      mechanism: scram-sha-512
      username: backlog-scaler
      passwordFile: /etc/backlog-scaler-kafka/password
    namespaces: [shop, "team-*"]
\`\`\`

- **With the chart** all of it goes under \`config\` of its values, but for \`grpc.tls\`, \`eventLog.dir\` and every \`host\` and \`port\`: these
  are the chart's own (\`tls\`, \`persistence\`, \`service.port\`). Files at \`/etc/backlog-scaler-NAME/\` are a Secret's, named in \`secretMounts\`.
- **Strict.** An unknown key is an error that names the nearest known one. All errors come at once, and the exit code is 2.
- **Variables.** \`\${NAME}\` in a value is replaced by the environment variable; one that is not set is an error. \`$\${\` stands for
  the characters themselves.
- **Secrets from files.** Where a key has a \`…File\` spelling, the file's text is the value;
  \`…Files\` is a list of files, for a list of values. Paths are relative to the configuration file. A file that is
  missing, empty, not UTF-8, or larger than 1 MiB is an error.
- **Secrets.** Line ends behind a secret are cut, whether it comes from a file, a variable or this file. A secret that lets callers in
  is one line of at least ${leastSecretLength} characters: a shorter one was cut, or can be guessed.
- **Changes.** The file and every secret file are checked every 5 seconds, and on SIGHUP. A change is applied as a whole or not at
  all: a bad one is refused, logged once (and at each SIGHUP) with every fault, and changes nothing. The column *when* says when a setting is applied:
  \`live\` while running; \`restart\` at the next start, and the log names the settings that wait for it; \`reopens\` while running, by
  opening the connection anew. Readings are kept as long as the connection measures the same place: other servers, another region,
  owner or mapping are another place. The files of \`grpc.tls\` are read again by themselves.
- **Truncated files** are often valid YAML, and must not let callers in. A change is refused if it leaves out \`admin.token\`,
  \`grpc.tls\`, its \`clientCaFile\` or \`allowedClientNames\`, or the \`namespaces\` of a connection that kept callers out so far.
  To drop one of them on purpose, restart; to open a connection to every namespace, write \`namespaces: ["*"]\`.
  A file that is cut between two connections is taken: the triggers of those that are gone are refused until they are back.
- **Namespaces.** A caller states the namespace it asks for. \`namespaces\` therefore only keeps tenants apart where the caller
  is KEDA for certain: by \`grpc.tls.clientCaFile\`, or by a NetworkPolicy that lets only KEDA reach the port.
`;

export function configurationPage(sources: readonly AnySource[]): string {
  const { properties = {} } = jsonSchema(configSchema);
  const { connections, ...sections } = properties;
  const parts = [intro];
  for (const [name, section] of Object.entries(sections)) {
    parts.push(
      `## \`${name}\`\n\n${section.description}\n\n${keys(section, sectionFiles[name] ?? {}, (key) => whenTaken(name, key))}\n`,
    );
  }
  const common = keys(jsonSchema(connectionSchema), {}, (key) =>
    key === 'source' ? 'live' : 'live, stays open',
  );
  parts.push(`## \`connections\`\n\n${connections?.description} Each entry has:\n\n${common}\n`);
  for (const { kind, config, files = {}, local = [] } of sources) {
    const when = (key: string) => (local.includes(key) ? 'live' : 'reopens');
    parts.push(`### \`source: ${kind}\`\n\n${keys(jsonSchema(config), files, when)}\n`);
  }
  return parts.join('\n');
}

/** A section without a shape is one of several, and all of it is taken at the start. */
function whenTaken(section: string, key: string): string {
  const start = Object.entries(startSettings).find(([name]) => name === section)?.[1];
  const isStart = start !== undefined && (!('shape' in start) || key in start.shape);
  return isStart ? 'restart' : 'live';
}

function keys(schema: Schema, files: FileSettings, when: (key: string) => string): string {
  const rows = schemaRows(schema).map(({ path, type, fallback, doc }) => {
    const at = path.slice(0, -1);
    const spellings = withFileKeys(path.slice(-1), files).map((key) => code([...at, key].join('.')));
    return [spellings.join(' or '), type, fallback, when((path[0] ?? '').replace(/\[\]$/, '')), doc];
  });
  return table(['key', 'type', 'default', 'when', 'meaning'], rows);
}

function jsonSchema(schema: z.ZodType): Schema {
  // A copy, since zod's own type has every keyword that there is.
  const written: Schema = JSON.parse(
    JSON.stringify(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' })),
  );
  return written;
}
