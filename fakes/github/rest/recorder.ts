import type { Caller } from './caller.ts';

export interface RecordedRequest {
  readonly method: string;
  /** With its query, without the prefix. */
  readonly path: string;
  /** 0 without an answer. */
  readonly status: number;
  readonly tokenKind: Caller['kind'] | 'none';
}

const maxKept = 100_000;

/** The requests. Only the newest are kept, but all are counted. */
export class Recorder {
  readonly requests: RecordedRequest[] = [];
  /** By method and path template, such as `GET /repos/{owner}/{repo}/actions/runs`. */
  readonly counts = new Map<string, number>();
  total = 0;
  notModified = 0;

  add(request: RecordedRequest, template: string | undefined): void {
    this.total++;
    if (request.status === 304) this.notModified++;
    const key = `${request.method} ${template ?? 'unknown'}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    this.requests.push(request);
    if (this.requests.length > maxKept * 1.25) this.requests.splice(0, this.requests.length - maxKept);
  }

  clear(): void {
    this.requests.length = 0;
    this.counts.clear();
    this.total = 0;
    this.notModified = 0;
  }
}
