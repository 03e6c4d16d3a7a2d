/** What a trigger was like at one time. */
export interface Point {
  /** Of the monotonic clock; kept to a tenth of a second. */
  readonly atMs: number;
  /** Items. Undefined means unknown. */
  readonly backlog: number | undefined;
  /** Items since the point before. Undefined if the source does not count them. */
  readonly arrivals: number | undefined;
  /** What KEDA got, or would have got. Undefined means an error. */
  readonly value: number | undefined;
  readonly target: number | undefined;
  readonly active: boolean | undefined;
}

/** Bytes of a point: backlog, value, target (float64), arrivals (float32), time (uint32), active. */
export const pointBytes = 33;
/** What the objects around the bytes take; measured. */
export const pointsOverheadBytes = 300;

const offsets = { backlog: 0, value: 8, target: 16, arrivals: 24, time: 28, active: 32 } as const;
const tickMs = 100;
const activeCodes = [false, true, undefined] as const;

/** The points of one trigger, in their order, in one buffer: an object for each would take ten times as much. */
export class Points {
  private rows: DataView;
  private start = 0;
  private end = 0;

  /** Room for so many. */
  constructor(capacity: number) {
    this.rows = new DataView(new ArrayBuffer(capacity * pointBytes));
  }

  get capacity(): number {
    return this.rows.byteLength / pointBytes;
  }

  get size(): number {
    return this.end - this.start;
  }

  get isFull(): boolean {
    return this.size === this.capacity;
  }

  /** The point of that place; the oldest is 0. */
  at(place: number): Point {
    const from = (this.start + place) * pointBytes;
    const { rows } = this;
    const number = (offset: number): number | undefined => known(rows.getFloat64(from + offset));
    return {
      atMs: rows.getUint32(from + offsets.time) * tickMs,
      backlog: number(offsets.backlog),
      arrivals: known(rows.getFloat32(from + offsets.arrivals)),
      value: number(offsets.value),
      target: number(offsets.target),
      active: activeCodes[rows.getUint8(from + offsets.active)],
    };
  }

  /** Whether this would say no more than the point of that place. */
  isSameAt(place: number, { backlog, arrivals, value, target, active }: Point): boolean {
    const from = (this.start + place) * pointBytes;
    const { rows } = this;
    return (
      (arrivals === undefined || arrivals === 0) &&
      isNumber(rows.getFloat64(from + offsets.backlog), backlog) &&
      isNumber(rows.getFloat64(from + offsets.value), value) &&
      isNumber(rows.getFloat64(from + offsets.target), target) &&
      rows.getUint8(from + offsets.active) === codeOf(active)
    );
  }

  timeAt(place: number): number {
    return this.rows.getUint32((this.start + place) * pointBytes + offsets.time) * tickMs;
  }

  put(place: number, { atMs, backlog, arrivals, value, target, active }: Point): void {
    const from = (this.start + place) * pointBytes;
    const { rows } = this;
    rows.setFloat64(from + offsets.backlog, backlog ?? Number.NaN);
    rows.setFloat64(from + offsets.value, value ?? Number.NaN);
    rows.setFloat64(from + offsets.target, target ?? Number.NaN);
    rows.setFloat32(from + offsets.arrivals, arrivals ?? Number.NaN);
    rows.setUint32(from + offsets.time, Math.floor(atMs / tickMs));
    rows.setUint8(from + offsets.active, codeOf(active));
  }

  /** There must be room. */
  push(point: Point): void {
    if (this.end === this.capacity) this.resize(this.capacity);
    this.end += 1;
    this.put(this.size - 1, point);
  }

  /** Moves those from `place` on to the place before, which is gone. */
  removeBefore(place: number): void {
    const from = (this.start + place) * pointBytes;
    this.bytes.copyWithin(from - pointBytes, from, this.end * pointBytes);
    this.end -= 1;
  }

  /** Forgets those that were over before that time: the newest of them says what was then, and stays. */
  dropBefore(atMs: number): void {
    while (this.size > 1 && this.timeAt(1) <= atMs) this.start += 1;
  }

  /**
   * Makes the oldest `count` coarser: of each four, that with the largest backlog and the last stay, so that no spike
   * vanishes. What arrived with those that go counts for the next one.
   */
  thin(count: number): void {
    const old = this.start;
    const kept: Point[] = [];
    for (let first = 0; first < count; first += 4) {
      const last = Math.min(first + 4, count) - 1;
      let peak = first;
      for (let place = first; place < last; place += 1) {
        if (backlogOf(this.at(place)) >= backlogOf(this.at(peak))) peak = place;
      }
      kept.push(...this.merged(first, peak, last));
    }
    const gone = count - kept.length;
    this.start = old + gone;
    for (const [place, point] of kept.entries()) this.put(place, point);
  }

  private merged(first: number, peak: number, last: number): Point[] {
    const arrived = (from: number, to: number): number | undefined => {
      let sum: number | undefined = 0;
      for (let place = from; place <= to; place += 1) {
        const { arrivals } = this.at(place);
        sum = sum === undefined || arrivals === undefined ? undefined : sum + arrivals;
      }
      return sum;
    };
    if (peak === last) return [{ ...this.at(last), arrivals: arrived(first, last) }];
    return [
      { ...this.at(peak), arrivals: arrived(first, peak) },
      { ...this.at(last), arrivals: arrived(peak + 1, last) },
    ];
  }

  /** Another capacity, which must have room for all. */
  resize(capacity: number): void {
    const bytes = this.bytes.subarray(this.start * pointBytes, this.end * pointBytes);
    if (capacity === this.capacity) {
      this.bytes.copyWithin(0, this.start * pointBytes, this.end * pointBytes);
    } else {
      const rows = new Uint8Array(capacity * pointBytes);
      rows.set(bytes);
      this.rows = new DataView(rows.buffer);
    }
    this.end -= this.start;
    this.start = 0;
  }

  private get bytes(): Uint8Array {
    return new Uint8Array(this.rows.buffer);
  }
}

/** For comparing: unknown is less than any number. */
export function backlogOf({ backlog }: Point): number {
  return backlog ?? -1;
}

function isNumber(kept: number, given: number | undefined): boolean {
  return given === undefined ? Number.isNaN(kept) : kept === given;
}

function codeOf(active: boolean | undefined): number {
  return active === undefined ? 2 : Number(active);
}

function known(number: number): number | undefined {
  return Number.isNaN(number) ? undefined : number;
}
