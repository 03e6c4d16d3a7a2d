import { ScalerError } from '../../../../errors.ts';

const initialBytes = 256;
const highWord = 2 ** 32;
/** The longest STRING: its length is an int16. */
const maxStringBytes = 0x7fff;

/** Writes Kafka's primitive types (https://kafka.apache.org/protocol#protocol_types) into a buffer that grows. */
export class Encoder {
  private bytes = Buffer.allocUnsafe(initialBytes);
  private at = 0;

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  int8(value: number): this {
    const at = this.grow(1);
    this.bytes.writeInt8(value, at);
    return this;
  }

  int16(value: number): this {
    const at = this.grow(2);
    this.bytes.writeInt16BE(value, at);
    return this;
  }

  int32(value: number): this {
    const at = this.grow(4);
    this.bytes.writeInt32BE(value, at);
    return this;
  }

  /** A safe integer as an int64. */
  int64(value: number): this {
    const at = this.grow(8);
    this.bytes.writeInt32BE(Math.floor(value / highWord), at);
    this.bytes.writeUInt32BE(value >>> 0, at + 4);
    return this;
  }

  uvarint(value: number): this {
    let left = value;
    while (left > 0x7f) {
      this.byte((left & 0x7f) | 0x80);
      left = Math.floor(left / 0x80);
    }
    return this.byte(left);
  }

  /** Throws ScalerError `invalid` for a text longer than Kafka can carry. */
  string(text: string): this {
    const length = byteLength(text);
    this.int16(length);
    return this.text(text, length);
  }

  compactString(text: string): this {
    const length = byteLength(text);
    this.uvarint(length + 1);
    return this.text(text, length);
  }

  array<T>(items: Iterable<T> & Sized, item: (encoder: Encoder, value: T) => void): this {
    this.int32(sizeOf(items));
    for (const value of items) item(this, value);
    return this;
  }

  nullArray(): this {
    return this.int32(-1);
  }

  compactArray<T>(items: Iterable<T> & Sized, item: (encoder: Encoder, value: T) => void): this {
    this.uvarint(sizeOf(items) + 1);
    for (const value of items) item(this, value);
    return this;
  }

  compactNullArray(): this {
    return this.uvarint(0);
  }

  /** Ends a structure of a flexible version (KIP-482) without tagged fields. */
  noTags(): this {
    return this.uvarint(0);
  }

  /** What was written; the encoder must not be used afterwards. */
  finish(): Buffer {
    return this.bytes.subarray(0, this.at);
  }

  private byte(value: number): this {
    const at = this.grow(1);
    this.bytes.writeUInt8(value, at);
    return this;
  }

  private text(text: string, length: number): this {
    const at = this.grow(length);
    this.bytes.write(text, at, length, 'utf8');
    return this;
  }

  /** Makes room, moves on and returns where it was. */
  private grow(byteCount: number): number {
    const from = this.at;
    this.at = from + byteCount;
    if (this.at > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.at, this.bytes.length * 2));
      this.bytes.copy(larger, 0, 0, from);
      this.bytes = larger;
    }
    return from;
  }
}

/** An array, or a Map or Set. */
type Sized = { readonly length: number } | { readonly size: number };

function sizeOf(items: Sized): number {
  return 'size' in items ? items.size : items.length;
}

function byteLength(text: string): number {
  const length = Buffer.byteLength(text);
  if (length > maxStringBytes) {
    throw new ScalerError('invalid', `a name of ${length} bytes: Kafka takes at most ${maxStringBytes}`);
  }
  return length;
}
