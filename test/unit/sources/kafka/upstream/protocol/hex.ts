import type {
  KafkaAnswer,
  KafkaRequest,
  Spoken,
} from '../../../../../../src/sources/kafka/upstream/protocol/api.ts';
import { Decoder } from '../../../../../../src/sources/kafka/upstream/protocol/decoder.ts';
import { Encoder } from '../../../../../../src/sources/kafka/upstream/protocol/encoder.ts';

/** The bytes of a readable golden: hex in groups, `'text'` for characters. */
export function bytes(golden: string): Buffer {
  const parts = golden.match(/'[^']*'|[0-9a-f]{2}/g) ?? [];
  return Buffer.concat(
    parts.map((part) => (part.startsWith("'") ? Buffer.from(part.slice(1, -1)) : Buffer.from(part, 'hex'))),
  );
}

/** The newest version that we use. */
export function newestOf({ versions }: Spoken): number {
  return versions.at(-1) ?? -1;
}

/** The body of a request as hex. */
export function written<T extends KafkaAnswer>(
  request: KafkaRequest<T>,
  version = newestOf(request),
): string {
  const writer = new Encoder();
  request.at(version).write(writer);
  return writer.finish().toString('hex');
}

export function answer<T extends KafkaAnswer>(
  request: KafkaRequest<T>,
  body: Buffer,
  version = newestOf(request),
): T {
  return request.at(version).read(new Decoder(body));
}
