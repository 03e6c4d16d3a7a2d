import type { WriteStream } from 'node:tty';

/** Where the demo is shown; only a terminal has columns. */
export type Out = Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;

/** What is shown at a moment. */
export interface Frame {
  readonly phase: string;
  readonly backlog: number;
  /** What the scaler answered last. */
  readonly value: number | undefined;
  readonly replicas: number;
  /** Consumers that have started. */
  readonly running: number;
}

const everyMs = 1000;
const barWidth = 24;

/** The terminal: lines that stay, and below them one that lives. Elsewhere a line a second, when it has changed. */
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

  /** A story begins, in which a backlog of the size `fullBar` fills the bar. */
  begin({ name, fullBar }: { readonly name: string; readonly fullBar: number }): void {
    this.story = name;
    this.fullBar = fullBar;
  }

  /** Where the status page of the story's scaler is. */
  page(url: string): void {
    this.pages.push(`${this.story.padEnd(8)}${url}`);
    this.event(`Its status page: ${url}`);
  }

  /** All is told, and runs on: nothing more is shown of it, so that the addresses of its pages stay in sight. */
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

  /** Takes the living line away. */
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
