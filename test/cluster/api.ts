import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import { text as readText } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Manifest } from '../chart/helm.ts';

const retryMs = 500;

export interface ApiAddress {
  readonly port: number;
  /** The path of the authority's certificate. */
  readonly ca: string;
  readonly token: string;
}

/** A client of the API server that knows paths and JSON, but no kinds. Errors have the server's words. */
export class Api {
  readonly address: ApiAddress;
  private readonly ca: string;

  constructor(address: ApiAddress) {
    this.address = address;
    this.ca = readFileSync(address.ca, 'utf8');
  }

  get(path: string): Promise<Manifest> {
    return this.call('GET', path);
  }

  create(path: string, body: Manifest): Promise<Manifest> {
    return this.call('POST', path, body);
  }

  merge(path: string, body: Manifest): Promise<Manifest> {
    return this.call('PATCH', path, body, 'application/merge-patch+json');
  }

  delete(path: string): Promise<Manifest> {
    return this.call('DELETE', path);
  }

  /** Reports each object of a collection, and again at each change, until the returned function is called. */
  watch(collection: string, changed: (object: unknown) => void): () => void {
    const asked = this.open('GET', `${collection}?watch=1`).once('response', (answer) => {
      const lines = createInterface(answer).on('line', (line) => {
        const event: { object?: unknown } = JSON.parse(line);
        changed(event.object);
      });
      lines.on('error', () => undefined);
    });
    asked.on('error', () => undefined).end();
    return () => asked.destroy();
  }

  /** The first request for a kind may get a 429, until the server has looked it up. */
  private async call(method: string, path: string, body?: Manifest, type?: string): Promise<Manifest> {
    const { status, text } = await this.ask(method, path, body, type);
    if (status === 429) {
      await sleep(retryMs);
      return await this.call(method, path, body, type);
    }
    if (status >= 300) throw new Error(`${method} ${path} was answered with ${status}: ${text}`);
    const value: Manifest = text.startsWith('{') ? JSON.parse(text) : { text };
    return value;
  }

  private async ask(method: string, path: string, body?: Manifest, type?: string) {
    const asked = this.open(method, path, type);
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      asked.once('response', resolve).once('error', reject);
    });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
    const answer = await answered;
    return { status: answer.statusCode ?? 0, text: await readText(answer) };
  }

  private open(method: string, path: string, type = 'application/json') {
    const { port, token } = this.address;
    const headers = { authorization: `Bearer ${token}`, 'content-type': type };
    return request({ host: '127.0.0.1', port, ca: this.ca, method, path, headers });
  }
}
