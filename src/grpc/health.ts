import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { status as Code, type Server } from '@grpc/grpc-js';
import { service } from 'grpc-health-check';
import { Outbox } from './streams.ts';

interface Request {
  readonly service: string;
}
interface Answer {
  readonly status: 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
}
type Watch = ServerWritableStream<Request, Answer>;

/**
 * `grpc.health.v1.Health` of a scaler that serves all of its services or none. Not the implementation of
 * grpc-health-check: that keeps each name that was ever watched, and writes to watchers that read nothing.
 */
export class Health {
  private readonly names: readonly string[];
  private readonly watches = new Map<Watch, { readonly known: boolean; readonly outbox: Outbox<Answer> }>();
  private status: Answer['status'] = 'NOT_SERVING';

  /** `names`: the known services. '' is the whole server. */
  constructor(names: readonly string[]) {
    this.names = names;
  }

  addTo(server: Server): void {
    server.addService(service, {
      Check: (call: ServerUnaryCall<Request, Answer>, callback: sendUnaryData<Answer>) => {
        if (this.knows(call)) callback(null, { status: this.status });
        else callback({ code: Code.NOT_FOUND, details: 'no service of this name is here' });
      },
      Watch: (call: Watch) => this.watch(call),
      List: (_: unknown, callback: sendUnaryData<{ statuses: Record<string, Answer> }>) => {
        const statuses = this.names.map((name): [string, Answer] => [name, { status: this.status }]);
        callback(null, { statuses: Object.fromEntries(statuses) });
      },
    });
  }

  setServing(serving: boolean): void {
    this.status = serving ? 'SERVING' : 'NOT_SERVING';
    for (const { known, outbox } of this.watches.values()) if (known) outbox.send({ status: this.status });
  }

  /** Ends all watches with OK. */
  drain(): void {
    for (const [call, { outbox }] of this.watches) {
      outbox.close();
      call.end();
    }
    this.watches.clear();
  }

  private watch(call: Watch): void {
    const outbox = new Outbox<Answer>(call);
    const known = this.knows(call);
    this.watches.set(call, { known, outbox });
    call.on('close', () => {
      outbox.close();
      this.watches.delete(call);
    });
    outbox.send({ status: known ? this.status : 'SERVICE_UNKNOWN' });
    // grpc-js keeps the request as long as the stream lives, and a made-up name can be long.
    Object.assign(call.request, { service: '' });
  }

  private knows({ request }: { request: Request }): boolean {
    return this.names.includes(request.service);
  }
}
