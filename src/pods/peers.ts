import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { KV } from '@nats-io/kv';
import type { Msg } from '@nats-io/transport-node';
import { fromJson, ScalerError } from '../errors.ts';
import { natsFault } from '../outbound/nats.ts';
import type { PeerDuties, Peers } from '../sources/source.ts';
import type { Logger } from '../telemetry/log.ts';
import { Waiters } from '../waiters.ts';
import { Lease } from './lease.ts';
import type { NatsLink, Up } from './link.ts';

/** How long a question waits for a holder of the lease that answers, before it fails. */
const patienceMs = 10_000;
/** The wait when nobody answered: the lease is about to change hands, or NATS is away. */
const againMs = 250;
/** The longest that an answer may take. A list of many thousand repositories is one answer. */
const answerLimitMs = 120_000;
/** The most questions that are answered at a time. A pod sends one after the other. */
const maxAtOnce = 64;
/** Answers from this size on are compressed. NATS takes a megabyte, and JSON of many jobs shrinks to a tenth. */
const compressFromBytes = 16_384;
const mostBytes = 64 * 1024 * 1024;

export interface PodPeersOptions {
  readonly link: NatsLink;
  /** The bucket of all leases. Undefined until NATS was first connected. */
  readonly bucket: () => KV | undefined;
  /** The bucket did not answer. It may no longer exist. */
  readonly suspect: (bucket: KV) => void;
  /** The NATS subject on which pods talk about this connection. Without wildcards and spaces. */
  readonly subject: string;
  /** The key of the lease. */
  readonly key: string;
  /** A new one for each opened connection. */
  readonly id: string;
  readonly duties: PeerDuties;
  readonly log: Logger;
  /** The lease was taken (true) or lost. */
  readonly held: (held: boolean) => void;
  /** The lease was given up, because this pod does not reach the upstream. */
  readonly gaveUp: () => void;
}

/** How pods talk over NATS about one connection, and the lease that decides which of them acts. */
export class PodPeers implements Peers {
  private readonly options: PodPeersOptions;
  private readonly lease: Lease;
  private readonly unlisten: readonly (() => void)[];
  private closed = false;
  private answering = 0;
  private had = false;
  /** For the lease to change. */
  private readonly waiting = new Waiters();

  constructor(options: PodPeersOptions) {
    this.options = options;
    this.lease = new Lease({ ...options, changed: () => this.changed() });
    const { link, subject, id, log } = options;
    const refused = (error: string, on: string): void =>
      log.error(
        { error, subject: on },
        'pods do not hear each other: let the user of NATS subscribe to the subject',
      );
    this.unlisten = [
      link.listen(`${subject}.${id}`, (message) => void this.answer(message), refused),
      link.listen(`${subject}.news`, (message) => this.hear(message), refused),
    ];
  }

  get term(): AbortSignal | undefined {
    return this.lease.term;
  }

  async ask(question: unknown, signal: AbortSignal): Promise<unknown> {
    const giveUpAtMs = performance.now() + patienceMs;
    for (;;) {
      if (signal.aborted || this.closed) throw new ScalerError('unavailable', 'the request was cancelled');
      if (this.lease.term !== undefined) return undefined;
      const { holder } = this.lease;
      // This pod may see its own write before it is acknowledged.
      const isOther = holder !== undefined && holder !== this.options.id;
      const reply = isOther ? await this.askPod(holder, question, signal) : undefined;
      if (reply !== undefined) return unpack(reply);
      if (performance.now() > giveUpAtMs) {
        const why = this.options.link.up === undefined ? 'NATS is away' : 'no pod has the lease';
        throw new ScalerError('unavailable', `the pod that asks for all of them does not answer: ${why}`);
      }
      await this.waiting.wait(againMs, signal);
    }
  }

  asked(fault: ScalerError | undefined): void {
    const failedForMs = this.lease.asked(fault === undefined);
    if (failedForMs === undefined) return;
    const { log, gaveUp } = this.options;
    gaveUp();
    log.warn(
      { error: fault?.message, failedForSeconds: Math.round(failedForMs / 1000) },
      'this pod gives the lease of the connection up: its requests to the upstream all fail, and another pod may reach it',
    );
  }

  tell(news: unknown): void {
    const { subject, id, link } = this.options;
    if (!this.closed) link.up?.connection.publish(`${subject}.news`, JSON.stringify({ from: id, news }));
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const end of this.unlisten) end();
    this.waiting.wake();
    await this.lease.close();
  }

  /** Undefined if the pod does not answer, or no longer has the lease. */
  private async askPod(pod: string, question: unknown, signal: AbortSignal): Promise<Reply | undefined> {
    const { up } = this.options.link;
    if (up === undefined) return undefined;
    const asked = up.connection
      .request(`${this.options.subject}.${pod}`, JSON.stringify(question), { timeout: answerLimitMs })
      .then((message) => decode(message.data));
    try {
      // The pod may be gone. Then the next holder of the lease gets the question.
      // After a break no answer can come to a question from before.
      const over = AbortSignal.any([signal, up.signal]);
      const reply = await Promise.race([asked, this.leaves(pod, asked, over)]);
      return reply === undefined || reply.kind === 'moved' ? undefined : reply;
    } catch (reason) {
      this.options.log.debug({ pod, error: natsFault(reason) }, 'a pod did not answer');
      return undefined;
    }
  }

  /** Resolves when another pod has the lease, or the answer is no longer needed. */
  private async leaves(pod: string, asked: Promise<unknown>, signal: AbortSignal): Promise<undefined> {
    const answered = new AbortController();
    asked.then(
      () => answered.abort(),
      () => answered.abort(),
    );
    const over = AbortSignal.any([signal, answered.signal]);
    while (this.lease.holder === pod && !over.aborted && !this.closed)
      await this.waiting.wait(Number.POSITIVE_INFINITY, over);
    return undefined;
  }

  private changed(): void {
    const { log, held, duties } = this.options;
    const has = this.lease.term !== undefined;
    if (has !== this.had) {
      this.had = has;
      held(has);
      if (has)
        log.info({}, 'this pod asks the upstream for all pods now: it has the lease of the connection');
      else log.info({ holder: this.lease.holder }, 'this pod no longer has the lease of the connection');
      if (!this.closed) duties.changed();
    }
    this.waiting.wake();
  }

  private hear(message: Msg): void {
    const told = fromJson(message.string());
    if (typeof told !== 'object' || told === null || !('news' in told) || !('from' in told)) return;
    if (told.from !== this.options.id) this.options.duties.hear(told.news);
  }

  private async answer(message: Msg): Promise<void> {
    const { link, log } = this.options;
    try {
      const data = await encode(await this.reply(fromJson(message.string())));
      const giveUpAtMs = performance.now() + answerLimitMs;
      while (!this.closed && performance.now() < giveUpAtMs) {
        const { up } = link;
        if (up !== undefined && (await respond(message, data, up))) return;
        // The other pod still waits, if only this one was cut off for a moment.
        await sleep(againMs);
      }
    } catch (reason) {
      log.debug({ error: natsFault(reason) }, 'another pod was not answered');
    }
  }

  private async reply(question: unknown): Promise<Reply> {
    const { term } = this.lease;
    if (term === undefined || this.answering >= maxAtOnce) return { kind: 'moved' };
    this.answering += 1;
    try {
      return { kind: 'answer', value: await this.options.duties.answer(question, term) };
    } catch (reason) {
      const { code, message, retryAfterMs } = ScalerError.from(reason);
      // The lease was lost during the work. The other pod asks the next holder.
      if (term.aborted) return { kind: 'moved' };
      return { kind: 'error', code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    } finally {
      this.answering -= 1;
    }
  }
}

/** Returns whether the server has the answer. */
async function respond(message: Msg, data: Uint8Array, { connection }: Up): Promise<boolean> {
  const most = connection.info?.max_payload ?? data.length;
  message.respond(data.length <= most ? data : await encode(tooLarge(data.length, most)));
  return connection.flush().then(
    () => true,
    () => false,
  );
}

type Reply =
  | { readonly kind: 'answer'; readonly value: unknown }
  /** This pod does not have the lease, or is busy. */
  | { readonly kind: 'moved' }
  | {
      readonly kind: 'error';
      readonly code: ScalerError['code'];
      readonly message: string;
      readonly retryAfterMs?: number;
    };

function unpack(reply: Reply): unknown {
  if (reply.kind === 'answer') return reply.value;
  if (reply.kind === 'moved') return undefined;
  const { code, message, retryAfterMs } = reply;
  throw new ScalerError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
}

function tooLarge(bytes: number, most: number): Reply {
  const message = `the answer for the other pods has ${bytes} bytes, and NATS takes ${most}: raise its max_payload`;
  return { kind: 'error', code: 'unavailable', message };
}

const zip = promisify(gzip);
const unzip = promisify(gunzip);

async function encode(reply: Reply): Promise<Uint8Array> {
  const data = Buffer.from(JSON.stringify(reply));
  return data.length < compressFromBytes ? data : zip(data);
}

/** Trusts the form: the sender is one of our pods. The pod that asked checks the value. */
async function decode(data: Uint8Array): Promise<Reply> {
  const isZipped = data[0] === 0x1f && data[1] === 0x8b;
  const text = isZipped ? await unzip(data, { maxOutputLength: mostBytes }) : data;
  return JSON.parse(new TextDecoder().decode(text)) as Reply;
}
