import type { WriteStream } from 'node:tty';

/** Where the demo is shown. Only a terminal has columns. */
export type Out = Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;

/** The state at a moment. */
export interface Frame {
  readonly phase: string;
  readonly backlog: number;
  /** The scaler's last answer. */
  readonly value: number | undefined;
  readonly replicas: number;
  /** How many consumers have started. */
  readonly running: number;
}

const everyMs = 1000;
const barWidth = 24;

/**
 * On a terminal: lines that stay, and one below them that changes. Elsewhere: at most one line a second, if it has
 * changed.
 */
export class Screen {
  private readonly out: Out;
  private readonly startedAtMs = performance.now();
  private fullBar = 1;
  private shown = '';
  private shownAtMs = Number.NEGATIVE_INFINITY;
  private readonly pages: string[] = [];
  private story = '';
  private isTold = false;

  constructor(out: Out) {
    this.out = out;
  }

  /** A story begins. A backlog of `fullBar` fills the bar. */
  begin({ name, fullBar }: { readonly name: string; readonly fullBar: number }): void {
    this.story = name;
    this.fullBar = fullBar;
  }

  /** The status page of the story's scaler. */
  page(url: string): void {
    this.pages.push(`${this.story.padEnd(8)}${url}`);
    this.event(`Its status page: ${url}`);
  }

  /** The stories have ended, and keep running. The screen rests, so that the addresses of the pages stay in sight. */
  rest(): void {
    this.end();
    this.isTold = true;
    const pages = this.pages.map((page) => `         ${page}`);
    this.say(['', `${this.clock()}  All of it runs on until Ctrl-C. The status pages:`, ...pages].join('\n'));
  }

  /** A line that stays. */
  say(text: string): void {
    this.out.write(`${this.out.isTTY ? clearLine : ''}${text}\n`);
    if (this.out.isTTY) this.out.write(this.shown);
  }

  /** A line that stays, with the time since the start. */
  event(text: string): void {
    this.say(`${this.clock()}  ${text}`);
  }

  update(frame: Frame): void {
    if (this.isTold) return;
    const text = frameText(frame, this.fullBar);
    if (this.out.isTTY) {
      this.shown = `${this.clock()}  ${text}`.slice(0, this.out.columns);
      this.out.write(clearLine + this.shown);
      return;
    }
    const nowMs = performance.now();
    if (text === this.shown || nowMs - this.shownAtMs < everyMs) return;
    this.shown = text;
    this.shownAtMs = nowMs;
    this.event(text);
  }

  /** Removes the changing line. */
  end(): void {
    if (this.out.isTTY) this.out.write(clearLine);
    this.shown = '';
  }

  private clock(): string {
    return `${((performance.now() - this.startedAtMs) / 1000).toFixed(1).padStart(5)} s`;
  }
}

const clearLine = '\r\x1b[K';

/** `backlog  580 → value  580 → replicas 6 (4 running)  ████`. Pure. */
export function frameText({ phase, backlog, value, replicas, running }: Frame, fullBar: number): string {
  const filled = Math.min(barWidth, Math.ceil((backlog / fullBar) * barWidth));
  return [
    phase.padEnd(10),
    `backlog ${String(backlog).padStart(4)} → value ${String(value ?? '-').padStart(4)}`,
    `→ replicas ${replicas} (${running} running)`,
    ` ${'█'.repeat(filled)}`,
  ]
    .join(' ')
    .trimEnd();
}
