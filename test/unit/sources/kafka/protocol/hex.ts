import { Reader } from '../../../../../src/sources/kafka/protocol/reader.ts';
import { Writer } from '../../../../../src/sources/kafka/protocol/writer.ts';
import type { KafkaAnswer, KafkaRequest } from '../../../../../src/sources/kafka/wire/wire.ts';

/** Bytes of a readable golden: hex in groups, `'text'` for its characters. */
export function bytes(golden: string): Buffer {
  const parts = golden.match(/'[^']*'|[0-9a-f]{2}/g) ?? [];
  return Buffer.concat(
    parts.map((part) => (part.startsWith("'") ? Buffer.from(part.slice(1, -1)) : Buffer.from(part, 'hex'))),
  );
}

/** A request's body as hex. */
export function written<T extends KafkaAnswer>(request: KafkaRequest<T>): string {
  const writer = new Writer();
  request.write(writer);
  return writer.finish().toString('hex');
}

export function answer<T extends KafkaAnswer>(request: KafkaRequest<T>, body: Buffer): T {
  return request.read(new Reader(body));
}
