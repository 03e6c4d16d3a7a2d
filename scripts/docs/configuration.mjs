import { z } from 'zod';
import { withFileKeys } from '../../dist/config/known-keys.js';
import { configSchema, connectionSchema } from '../../dist/config/schema.js';
import { sources } from '../../dist/sources/index.js';
import { schemaRows } from './schema-rows.mjs';
import { code, table } from './table.mjs';

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
- **Secrets from files.** Where a key has a \`…File\` spelling, the file's text is the value, without the line end that editors
  leave; \`…Files\` is a list of files, for a list of values. Paths are relative to the configuration file. A file that is
  missing, empty, not UTF-8, or larger than 1 MiB is an error.
- **Changes.** The file and every secret file are looked at every 5 seconds, and on SIGHUP. A good change is applied while
  running: changed connections are opened again, the others are not touched. Only \`grpc\`, \`eventLog\` and host, port and \`maxConnections\` of
  \`admin\` and \`ingest\` need a restart; the log says so. A bad change is refused and logged once, and the old configuration
  stays. The files of \`grpc.tls\` are read again by themselves.
- **Namespaces.** A caller states the namespace it asks for. \`namespaces\` therefore only keeps tenants apart where the caller
  is KEDA for certain: by \`grpc.tls.clientCaFile\`, or by a NetworkPolicy that lets only KEDA reach the port.
`;

export function configurationPage() {
  const { properties } = jsonSchema(configSchema);
  const { connections, ...sections } = properties;
  const parts = [intro];
  for (const [name, section] of Object.entries(sections)) {
    parts.push(`## \`${name}\`\n\n${section.description}\n\n${keys(section)}\n`);
  }
  const common = keys(jsonSchema(connectionSchema));
  parts.push(`## \`connections\`\n\n${connections.description} Each entry has:\n\n${common}\n`);
  for (const { kind, config } of sources) {
    parts.push(`### \`source: ${kind}\`\n\n${keys(jsonSchema(config))}\n`);
  }
  return parts.join('\n');
}

function keys(schema) {
  const all = schemaRows(schema);
  const paths = new Set(all.map(({ path }) => path.join('.')));
  const rows = all.map(({ path, type, fallback, doc }) => {
    const at = path.slice(0, -1);
    // A key is one of a certificate only beside it.
    const isFile = path.at(-1) !== 'key' || paths.has([...at, 'cert'].join('.'));
    const spellings = (isFile ? withFileKeys(path.slice(-1)) : path.slice(-1)).map((key) =>
      code([...at, key].join('.')),
    );
    return [spellings.join(' or '), type, fallback, doc];
  });
  return table(['key', 'type', 'default', 'meaning'], rows);
}

function jsonSchema(schema) {
  return z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
}
