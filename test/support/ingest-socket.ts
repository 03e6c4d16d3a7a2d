import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A connection to the ingest port that sends only what a test sends. */
export class IngestSocket {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  said = '';

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    // A reset is one way to be closed.
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk: Buffer) => {
      this.said += chunk.toString('latin1');
    });
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
    onTestFinished(() => void this.socket.destroy());
  }

  write(text: string | Buffer): void {
    this.socket.write(text);
  }

  /** Sends the head of a webhook. Its body comes later. */
  head(headers: Readonly<Record<string, string | number>>): void {
    const all = {
      host: 'localhost',
      'content-type': 'application/json',
      'x-github-event': 'workflow_job',
      'x-hub-signature-256': `sha256=${'0'.repeat(64)}`,
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.write(`POST /ingest/github HTTP/1.1\r\n${lines.join('')}\r\n`);
  }

  get status(): number | undefined {
    const found = /^HTTP\/1\.1 (\d+)/.exec(this.said)?.[1];
    return found === undefined ? undefined : Number(found);
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }
}
