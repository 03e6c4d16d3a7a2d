import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** A trigger as KEDA knows it when it builds the scaler. Missing fields are empty. */
export interface KedaTrigger {
  type?: 'external' | 'external-push' | 'kafka' | 'apache-kafka' | 'nats-jetstream';
  kind?: 'ScaledObject' | 'ScaledJob';
  namespace?: string;
  name?: string;
  /** Position in `spec.triggers`. KEDA's metric names begin with `s<index>-`. */
  index?: number;
  metricType?: 'AverageValue' | 'Value' | 'Utilization';
  metadata: Record<string, string>;
  /** Environment of the scaled workload's container, for `…FromEnv`. */
  resolvedEnv?: Record<string, string>;
  /** The parameters from a TriggerAuthentication: `caCert`, `tlsClientCert`, `tlsClientKey`, as PEM text. */
  authParams?: Record<string, string>;
}

const target = z.object({ name: z.string(), metricType: z.string(), target: z.number() });
const metrics = z.object({
  values: z.array(z.object({ name: z.string(), value: z.number() })),
  active: z.boolean(),
});
const log = z.object({ logger: z.string(), msg: z.string(), error: z.string().nullish() });
const line = z.union([
  z.object({ id: z.number(), value: z.unknown().optional(), error: z.string().optional() }),
  z.object({ event: z.literal('active'), scaler: z.string(), active: z.boolean(), atMs: z.number() }),
  z.object({ event: z.literal('spec'), scaler: z.string(), specs: z.array(target), atMs: z.number() }),
  z.object({ event: z.literal('log'), log }),
]);

/** A metric spec as it goes into the HPA. */
export type HpaTarget = z.infer<typeof target>;

/** The messages of one scaler's push streams, oldest first. */
export interface Pushed {
  readonly states: boolean[];
  readonly specs: HpaTarget[][];
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** KEDA's own external scaler in a child process, see main.go. Methods reject with KEDA's error. */
export class KedaClient {
  /** KEDA's error log, as `message: error`. */
  readonly errors: string[] = [];
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly waiting = new Map<number, Waiting>();
  private readonly pushed = new Map<string, Pushed>();
  private lastId = 0;

  constructor(program: string) {
    this.child = spawn(program, { stdio: 'pipe' });
    this.child.stderr.resume();
    createInterface(this.child.stdout).on('line', (text) => this.hear(line.parse(JSON.parse(text))));
    this.child.once('close', () => {
      for (const one of this.waiting.values()) one.reject(new Error("KEDA's client has ended"));
    });
  }

  async open(scaler: string, trigger: KedaTrigger): Promise<void> {
    const whole = {
      type: 'external-push',
      kind: 'ScaledObject',
      namespace: 'shop',
      name: 'orders-worker',
      ...trigger,
    };
    await this.ask({ op: 'open', scaler, config: whole });
  }

  async spec(scaler: string): Promise<HpaTarget[]> {
    return z.array(target).parse(await this.ask({ op: 'spec', scaler }));
  }

  /** `metric` is the prefixed name, as KEDA has it from the spec. */
  async metrics(scaler: string, metric: string): Promise<z.infer<typeof metrics>> {
    return metrics.parse(await this.ask({ op: 'metrics', scaler, metric }));
  }

  /** Opens the scaler's push streams. Messages are appended to the returned lists. */
  async run(scaler: string): Promise<Pushed> {
    const pushed: Pushed = { states: [], specs: [] };
    this.pushed.set(scaler, pushed);
    await this.ask({ op: 'run', scaler });
    return pushed;
  }

  /** Whether KEDA polls scalers at `pollingInterval`, beside the HPA's looks, for a ScaledObject with this `spec`. */
  async polls(spec: object): Promise<boolean> {
    return z.boolean().parse(await this.ask({ op: 'polls', spec }));
  }

  async close(scaler: string): Promise<void> {
    await this.ask({ op: 'close', scaler });
  }

  /** Ends the process by closing its input. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const closed = once(this.child, 'close');
    this.child.stdin.end();
    await closed;
  }

  private ask(request: object): Promise<unknown> {
    this.lastId += 1;
    const id = this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.child.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  }

  private hear(heard: z.infer<typeof line>): void {
    if ('id' in heard) {
      const asked = this.waiting.get(heard.id);
      this.waiting.delete(heard.id);
      if (heard.error === undefined) asked?.resolve(heard.value);
      else asked?.reject(new Error(heard.error));
    } else if (heard.event === 'active') this.pushed.get(heard.scaler)?.states.push(heard.active);
    else if (heard.event === 'spec') this.pushed.get(heard.scaler)?.specs.push(heard.specs);
    else if (typeof heard.log.error === 'string') this.errors.push(`${heard.log.msg}: ${heard.log.error}`);
  }
}
