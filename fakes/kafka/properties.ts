import type { KafkaOptions } from './options.ts';

/** The ports of a node, all on the loopback interface. */
export interface NodePorts {
  readonly controller: number;
  readonly plain: number;
  readonly sasl: number;
  readonly tls: number;
  readonly saslTls: number;
  readonly stats: number;
}

export interface NodeLayout {
  readonly id: number;
  readonly ports: NodePorts;
  readonly dataDirectory: string;
}

type Properties = Record<string, string | number | boolean>;

const security = 'org.apache.kafka.common.security';

/** The server.properties of one KRaft node (https://kafka.apache.org/documentation/#brokerconfigs). Pure. */
export function serverProperties(
  node: NodeLayout,
  all: readonly NodeLayout[],
  options: KafkaOptions,
): string {
  const properties: Properties = {
    ...roles(node, all),
    ...listeners(node, options),
    ...sasl(options),
    ...tls(options),
    ...smallness(all.length),
    'log.dirs': node.dataDirectory,
    ...(options.acls
      ? {
          'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
          'super.users': 'User:ANONYMOUS;User:admin',
        }
      : {}),
    ...options.properties,
  };
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

function roles(node: NodeLayout, all: readonly NodeLayout[]): Properties {
  return {
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'controller.quorum.voters': all.map(({ id, ports }) => `${id}@127.0.0.1:${ports.controller}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAIN',
  };
}

function listeners({ ports }: NodeLayout, { tls: withTls }: KafkaOptions): Properties {
  const open = [`PLAIN://127.0.0.1:${ports.plain}`, `SASL://127.0.0.1:${ports.sasl}`];
  const advertised = [...open];
  if (withTls) {
    open.push(`TLS://127.0.0.1:${ports.tls}`, `SASLTLS://127.0.0.1:${ports.saslTls}`);
    advertised.push(`TLS://localhost:${ports.tls}`, `SASLTLS://localhost:${ports.saslTls}`);
  }
  return {
    listeners: [`CONTROLLER://127.0.0.1:${ports.controller}`, ...open].join(','),
    'advertised.listeners': advertised.join(','),
    'listener.security.protocol.map':
      'CONTROLLER:PLAINTEXT,PLAIN:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL,SASLTLS:SASL_SSL',
  };
}

function sasl({ users = {}, oauthBearer, maxReauthMs }: KafkaOptions): Properties {
  const passwords = Object.entries(users).map(([name, password]) => ` user_${name}="${password}"`);
  const mechanisms: Record<string, string> = {
    'scram-sha-256': `${security}.scram.ScramLoginModule required;`,
    'scram-sha-512': `${security}.scram.ScramLoginModule required;`,
    plain: `${security}.plain.PlainLoginModule required${passwords.join('')};`,
  };
  if (oauthBearer) {
    mechanisms['oauthbearer'] =
      `${security}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`;
  }
  const properties: Properties = {
    'sasl.enabled.mechanisms': Object.keys(mechanisms).join(',').toUpperCase(),
  };
  for (const listener of ['sasl', 'sasltls']) {
    for (const [mechanism, module] of Object.entries(mechanisms)) {
      properties[`listener.name.${listener}.${mechanism}.sasl.jaas.config`] = module;
    }
  }
  if (maxReauthMs !== undefined) properties['connections.max.reauth.ms'] = maxReauthMs;
  return properties;
}

function tls({ tls: files }: KafkaOptions): Properties {
  if (files === undefined) return {};
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': files.serverBundleFile,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': files.caFile,
    // Kafka ignores a general ssl.client.auth on SASL_SSL listeners. mTLS uses the plain TLS listener.
    'listener.name.tls.ssl.client.auth': files.clientAuth ?? 'requested',
  };
}

/** Settings for one machine, few partitions, and no waiting. Kafka's defaults are too large or too slow. */
function smallness(brokers: number): Properties {
  return {
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': brokers,
    'offsets.topic.num.partitions': 6,
    'transaction.state.log.replication.factor': brokers,
    'transaction.state.log.num.partitions': 3,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // A killed broker can only register again after its old session has ended: 9 s by default.
    'broker.session.timeout.ms': 4000,
    'broker.heartbeat.interval.ms': 500,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'log.index.size.max.bytes': 65_536,
  };
}
