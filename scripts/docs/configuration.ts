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

- **With the chart**, all of it goes under \`config\` of the values. Exceptions are \`grpc.tls\`, \`eventLog.dir\` and every \`host\` and
  \`port\`: the chart has its own (\`tls\`, \`persistence\`, \`service.port\`). \`secretMounts\` mounts a Secret at \`/etc/backlog-scaler-NAME/\`.
- **Strict.** An unknown key is an error that names the nearest known one. All errors are listed at once, and the exit code is 2.
- **Variables.** \`\${NAME}\` in a value is replaced by the environment variable. An unset one is an error. \`$\${\` stands for the characters.
- **Secrets from files.** A \`…File\` key reads the value from a file, and \`…Files\` a list of values from several. Paths are relative to the
  configuration file. A file that is missing, empty, not UTF-8 or larger than 1 MiB is an error.
- **Secrets.** Line ends after a secret are cut. A secret that lets callers in is one line of at least ${leastSecretLength} characters.
- **Changes.** The file and every secret file are checked every 5 seconds, and on SIGHUP. A change applies as a whole or not at all. A bad one is
  refused and logged with every fault. The column *when* has three values. \`live\` applies while running. \`restart\` needs a restart, and the log names it.
  \`reopens\` opens the connection again. Readings survive while the connection measures the same place. Files of \`grpc.tls\` reload by themselves.
- **Truncated files** are often valid YAML, and must not let callers in. A change is refused if it omits \`admin.token\`, \`grpc.tls\`, its
  \`clientCaFile\` or \`allowedClientNames\`, or the \`namespaces\` of a connection that had them. To drop one on purpose, restart. To open a
  connection to every namespace, write \`namespaces: ["*"]\`. If a whole connection is missing, its triggers are refused until it is back.
- **Namespaces.** A caller states its own namespace. So \`namespaces\` separates tenants only if all callers are KEDA: use \`grpc.tls.clientCaFile\`,
  or a NetworkPolicy that admits only KEDA.
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

/** A section without a shape is a union, and takes effect only at the start. */
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
  // A copy, because zod's own type has every keyword.
  const written: Schema = JSON.parse(
    JSON.stringify(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' })),
  );
  return written;
}
