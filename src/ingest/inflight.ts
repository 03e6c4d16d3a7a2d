/** The bytes of all requests that are held at a time, within a bound. */
export class InflightBytes {
  maxBytes: number;
  private held = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.held;
  }

  fits(bytes: number): boolean {
    return this.held + bytes <= this.maxBytes;
  }

  /** False, with nothing taken, where they do not fit. */
  take(bytes: number): boolean {
    if (!this.fits(bytes)) return false;
    this.held += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.held -= bytes;
  }
}

/** What one request holds of them, until it is released. */
export class Share {
  private readonly all: InflightBytes;
  private bytes = 0;

  constructor(all: InflightBytes) {
    this.all = all;
  }

  fits(bytes: number): boolean {
    return this.all.fits(bytes);
  }

  /** Takes so many more; false, with nothing taken, where they do not fit. */
  grow(bytes: number): boolean {
    if (!this.all.take(bytes)) return false;
    this.bytes += bytes;
    return true;
  }

  release(): void {
    this.all.giveBack(this.bytes);
    this.bytes = 0;
  }
}
