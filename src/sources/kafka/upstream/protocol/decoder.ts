import { ScalerError } from '../../../../errors.ts';

const highWord = 2 ** 32;
/** A uvarint of 32 bits has at most this many bytes. */
const maxVarintBytes = 5;

/**
 * Reads Kafka's primitive types (https://kafka.apache.org/protocol#protocol_types) from one answer, big-endian.
 * Whatever does not fit throws one ScalerError `unavailable`; a length is believed only as far as there are bytes.
 */
export class Decoder {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get remaining(): number {
    return this.bytes.length - this.at;
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  int8(): number {
    return this.bytes.readInt8(this.take(1));
  }

  int16(): number {
    return this.bytes.readInt16BE(this.take(2));
  }

  int32(): number {
    return this.bytes.readInt32BE(this.take(4));
  }

  /** An int64 as a JS number; one beyond 2^53 is malformed, no offset comes near it. */
  int64(): number {
    const from = this.take(8);
    const value = this.bytes.readInt32BE(from) * highWord + this.bytes.readUInt32BE(from + 4);
    if (!Number.isSafeInteger(value)) throw this.malformed('a number beyond 2^53');
    return value;
  }

  uvarint(): number {
    let value = 0;
    for (let byteIndex = 0; byteIndex < maxVarintBytes; byteIndex += 1) {
      const byte = this.bytes.readUInt8(this.take(1));
      value += (byte & 0x7f) * 2 ** (7 * byteIndex);
      if (byte < 0x80) return value;
    }
    throw this.malformed('a varint that does not end');
  }

  string(): string {
    return this.nonNull(this.nullableString());
  }

  nullableString(): string | undefined {
    return this.text(this.int16());
  }

  compactString(): string {
    return this.nonNull(this.compactNullableString());
  }

  compactNullableString(): string | undefined {
    return this.text(this.uvarint() - 1);
  }

  /** A null array is read as an empty one. */
  array<T>(item: (decoder: Decoder) => T): T[] {
    return this.items(this.int32(), item);
  }

  compactArray<T>(item: (decoder: Decoder) => T): T[] {
    return this.items(this.uvarint() - 1, item);
  }

  /** Skips a BYTES or RECORDS field and returns its length in bytes; null has none. */
  skipBytes(): number {
    const length = Math.max(0, this.int32());
    this.take(length);
    return length;
  }

  /** Skips an array of int32, such as a partition's replicas. */
  skipInt32Array(): void {
    this.take(Math.max(0, this.int32()) * 4);
  }

  skip(byteCount: number): void {
    this.take(byteCount);
  }

  /** Skips the tagged fields of a flexible version (KIP-482): we know none of them. */
  skipTags(): void {
    for (let left = this.uvarint(); left > 0; left -= 1) {
      this.uvarint();
      this.take(this.uvarint());
    }
  }

  private text(length: number): string | undefined {
    if (length === -1) return undefined;
    if (length < 0) throw this.malformed(`a length of ${length}`);
    const from = this.take(length);
    return this.bytes.toString('utf8', from, from + length);
  }

  private nonNull(text: string | undefined): string {
    if (text === undefined) throw this.malformed('null where a text belongs');
    return text;
  }

  private items<T>(count: number, item: (decoder: Decoder) => T): T[] {
    // Every item has at least one byte, so a count beyond the bytes left is absurd and must not be allocated.
    if (count < -1 || count > this.remaining) throw this.malformed(`an array of ${count}`);
    const items: T[] = [];
    for (let left = count; left > 0; left -= 1) items.push(item(this));
    return items;
  }

  /** Moves on and returns where it was. */
  private take(byteCount: number): number {
    const from = this.at;
    if (byteCount > this.bytes.length - from) throw this.malformed(`${byteCount} more bytes wanted`);
    this.at = from + byteCount;
    return from;
  }

  private malformed(what: string): ScalerError {
    const where = `byte ${this.at} of ${this.bytes.length}`;
    return new ScalerError('unavailable', `the broker's answer is malformed: ${what} at ${where}`);
  }
}
