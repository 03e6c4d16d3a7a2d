import { describe, expect, it } from 'vitest';
import type { KafkaOptions } from '../../../../fakes/kafka/options.ts';
import { type NodeLayout, serverProperties } from '../../../../fakes/kafka/properties.ts';

function node(id: number): NodeLayout {
  const port = (offset: number) => id * 10 + offset;
  const ports = {
    controller: port(1),
    plain: port(2),
    sasl: port(3),
    tls: port(4),
    saslTls: port(5),
    stats: port(6),
  };
  return { id, ports, dataDirectory: `/data/${id}` };
}

function lines(options: KafkaOptions): string[] {
  return serverProperties(node(2), [node(1), node(2), node(3)], options).split('\n');
}

describe('serverProperties', () => {
  it('names every node as a voter and replicates over all', () => {
    expect(lines({})).toEqual(
      expect.arrayContaining([
        'controller.quorum.voters=1@127.0.0.1:11,2@127.0.0.1:21,3@127.0.0.1:31',
        'offsets.topic.replication.factor=3',
      ]),
    );
  });

  it('opens TLS listeners only with certificates', () => {
    const plain = 'listeners=CONTROLLER://127.0.0.1:21,PLAIN://127.0.0.1:22,SASL://127.0.0.1:23';
    expect(lines({})).toContain(plain);
    const tls = { serverBundleFile: '/s.pem', caFile: '/ca.pem' };
    expect(lines({ tls })).toContain(`${plain},TLS://127.0.0.1:24,SASLTLS://127.0.0.1:25`);
  });

  it('accepts unsigned tokens only if configured', () => {
    expect(lines({})).toContain('sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN');
    expect(lines({ oauthBearer: true })).toContain(
      'sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN,OAUTHBEARER',
    );
  });

  it('prefers further properties to its own', () => {
    const changed = lines({ properties: { 'num.io.threads': '1' } });
    expect(changed.filter((line) => line.startsWith('num.io.threads='))).toEqual(['num.io.threads=1']);
  });
});
