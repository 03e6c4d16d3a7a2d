import {
  Client,
  credentials,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { freePort } from '../support/free-port.ts';

const path = (rpc: string) => `/externalscaler.ExternalScaler/${rpc}`;
const unary = ['IsActive', 'GetMetricSpec', 'GetMetrics'];
const stream = 'StreamIsActive';
const asItIs = (bytes: Buffer) => bytes;

/**
 * Stands between KEDA and a scaler, and knows KEDA's contract from before 2.21. It answers StreamMetricSpec with
 * UNIMPLEMENTED, so the scaler's caller never opens one.
 */
export class OldContract {
  readonly port: number;
  private readonly server: Server;
  private readonly scaler: Client;

  static async start(scalerPort: number): Promise<OldContract> {
    const own = new OldContract(await freePort(), new Client(`127.0.0.1:${scalerPort}`, insecure()));
    await new Promise<void>((resolve, reject) => {
      own.server.bindAsync(`127.0.0.1:${own.port}`, ServerCredentials.createInsecure(), (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
    return own;
  }

  private constructor(port: number, scaler: Client) {
    this.port = port;
    this.scaler = scaler;
    this.server = new Server();
    this.server.addService(definition, {
      ...Object.fromEntries(unary.map((rpc) => [rpc, this.ask.bind(this, path(rpc))])),
      [stream]: this.follow.bind(this),
    });
  }

  stop(): void {
    this.server.forceShutdown();
    this.scaler.close();
  }

  private ask(rpc: string, call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void {
    this.scaler.makeUnaryRequest(rpc, asItIs, asItIs, call.request, call.metadata as Metadata, answer);
  }

  private follow(call: ServerWritableStream<Buffer, Buffer>): void {
    const behind = this.scaler.makeServerStreamRequest(path(stream), asItIs, asItIs, call.request);
    behind.on('data', (message: Buffer) => call.write(message));
    behind.on('end', () => call.end());
    behind.on('error', (error) => call.emit('error', error));
    call.on('cancelled', () => behind.cancel());
  }
}

function insecure() {
  return credentials.createInsecure();
}

const bytes = {
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
  requestStream: false,
};
const definition: ServiceDefinition = Object.fromEntries(
  [...unary, stream].map((rpc) => [rpc, { ...bytes, path: path(rpc), responseStream: rpc === stream }]),
);
