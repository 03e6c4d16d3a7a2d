/*
 * The parts of HTTP/2 (RFC 9113) and HPACK (RFC 7541) that a client of one gRPC service needs to write.
 */

export const frameType = {
  data: 0x0,
  headers: 0x1,
  resetStream: 0x3,
  settings: 0x4,
  ping: 0x6,
  goAway: 0x7,
  windowUpdate: 0x8,
} as const;

export const flag = { ack: 0x1, endStream: 0x1, endHeaders: 0x4 } as const;

export const frameHeadBytes = 9;
export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** A receiver's grant to a connection before any WINDOW_UPDATE. */
export const initialWindowBytes = 65_535;

export interface FrameHead {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
}

export function frame({ type, flags, stream }: FrameHead, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(frameHeadBytes);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export function windowUpdate(bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame({ type: frameType.windowUpdate, flags: 0, stream: 0 }, payload);
}

/** A header block of literals that neither side remembers, so every request can use the same bytes. */
export function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  const literals = Object.entries(headers).flatMap(([name, value]) => [
    Buffer.from([0]),
    hpackString(name),
    hpackString(value),
  ]);
  return Buffer.concat(literals);
}

/** Without Huffman coding. Shorter than 127 bytes, so that the length is one byte. */
function hpackString(text: string): Buffer {
  if (text.length >= 127) throw new Error(`header too long for this client: ${text}`);
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
}
