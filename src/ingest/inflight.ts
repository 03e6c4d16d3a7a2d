import type { Socket } from 'node:net';

/** Most webhooks fit. So much of each body always has room, where the configuration has it: see `use`. */
export const ownBytes = 32 * 1024;

/** Whose a body is, as far as that is known before it has come. */
export interface BodyOf {
  readonly socket: Socket;
  /** Whether the head of its request has shown who sends. Else only the whole body can. */
  readonly isShown: boolean;
}

/**
 * The bytes of all requests in progress, within a bound. Unverified senders cannot take them from others. The first bytes
 * of each body are free. For the rest there is one budget for all unverified senders, and one for each address.
 */
export class InflightBytes {
  private readonly most = { own: 0, common: 0, unshown: 0, address: 0 };
  private readonly held = { all: 0, common: 0, unshown: 0 };
  private readonly byAddress = new Map<string, number>();
  private readonly withOwn = new WeakSet<Socket>();

  /**
   * Half of `maxBytes` at most is for the first bytes of a body on each connection. Half of the rest is for those who
   * have shown nothing, an eighth for one address; but the largest body always has room where it is alone.
   */
  use(maxBytes: number, maxBodyBytes: number, maxConnections: number): void {
    const forOwn = Math.min(maxBytes - maxBodyBytes, maxBytes / 2);
    const own = Math.max(0, Math.min(ownBytes, Math.floor(forOwn / maxConnections)));
    const common = maxBytes - own * maxConnections;
    const address = Math.max(common / 8, maxBodyBytes);
    Object.assign(this.most, { own, common, unshown: Math.max(common / 2, maxBodyBytes), address });
  }

  get bytes(): number {
    return this.held.all;
  }

  open({ socket, isShown }: BodyOf): Share {
    // Requests of one connection need not wait for answers: only one of them has bytes of its own.
    const own = this.withOwn.has(socket) ? 0 : this.most.own;
    if (own > 0) this.withOwn.add(socket);
    return new Share(this, { own, isShown, address: addressOf(socket.remoteAddress) }, () => {
      if (own > 0) this.withOwn.delete(socket);
    });
  }

  /** `bytes` beyond a body's own. */
  fits({ isShown, address }: Holder, bytes: number): boolean {
    if (bytes <= 0) return true;
    if (this.held.common + bytes > this.most.common) return false;
    if (isShown) return true;
    const there = this.byAddress.get(address) ?? 0;
    return this.held.unshown + bytes <= this.most.unshown && there + bytes <= this.most.address;
  }

  /** Of `bytes`, so many are beyond a body's own. Both are negative where they are given back. */
  hold({ isShown, address }: Holder, bytes: number, beyondOwn: number): void {
    this.held.all += bytes;
    this.held.common += beyondOwn;
    if (isShown || beyondOwn === 0) return;
    this.held.unshown += beyondOwn;
    const there = (this.byAddress.get(address) ?? 0) + beyondOwn;
    if (there === 0) this.byAddress.delete(address);
    else this.byAddress.set(address, there);
  }
}

interface Holder {
  /** How many bytes are its own. */
  readonly own: number;
  readonly isShown: boolean;
  readonly address: string;
}

/** What one body holds of them, until it is released. */
export class Share {
  private readonly all: InflightBytes;
  private readonly holder: Holder;
  private readonly released: () => void;
  private bytes = 0;

  constructor(all: InflightBytes, holder: Holder, released: () => void) {
    this.all = all;
    this.holder = holder;
    this.released = released;
  }

  fits(bytes: number): boolean {
    return this.all.fits(this.holder, this.beyondOwn(bytes));
  }

  /** Takes so many more, or gives them back; false, with nothing taken, where they do not fit. */
  grow(bytes: number): boolean {
    const beyondOwn = this.beyondOwn(bytes);
    if (!this.all.fits(this.holder, beyondOwn)) return false;
    this.all.hold(this.holder, bytes, beyondOwn);
    this.bytes += bytes;
    return true;
  }

  release(): void {
    this.all.hold(this.holder, -this.bytes, -Math.max(0, this.bytes - this.holder.own));
    this.bytes = 0;
    this.released();
  }

  /** How many of so many more are not the body's own. */
  private beyondOwn(bytes: number): number {
    const { own } = this.holder;
    return Math.max(0, this.bytes + bytes - own) - Math.max(0, this.bytes - own);
  }
}

/** What identifies a sender. The owner of an IPv6 address has the whole /64 (RFC 6177). */
export function addressOf(remoteAddress = ''): string {
  const [address = ''] = remoteAddress.replace(/^::ffff:(?=\d+\.)/i, '').split('%');
  if (!address.includes(':')) return address;
  const [left = '', right] = address.split('::');
  const parts = left === '' ? [] : left.split(':');
  const last = right === undefined || right === '' ? [] : right.split(':');
  const zeros = right === undefined ? 0 : 8 - parts.length - last.length;
  return [...parts, ...Array(zeros).fill('0'), ...last].slice(0, 4).join(':');
}
