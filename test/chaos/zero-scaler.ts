import { readFileSync } from 'node:fs';
import { Server, ServerCredentials, type ServerWritableStream, type sendUnaryData } from '@grpc/grpc-js';
import { ExternalScaler } from '../../src/grpc/contract.ts';

/*
 * A scaler that is wrong in the worst way: it always answers that nothing waits. It starts like ours, with `serve
 * --config FILE`, and says the same when it is ready.
 */

const config = JSON.parse(readFileSync(process.argv.at(-1) ?? '', 'utf8'));
const spec = { metricName: 'zero', targetSize: 1, targetSizeFloat: 1 };

const server = new Server();
server.addService(ExternalScaler.service, {
  isActive: (_: unknown, done: sendUnaryData<object>) => done(null, { result: false }),
  getMetricSpec: (_: unknown, done: sendUnaryData<object>) => done(null, { metricSpecs: [spec] }),
  getMetrics: (_: unknown, done: sendUnaryData<object>) =>
    done(null, { metricValues: [{ metricName: 'zero', metricValue: 0, metricValueFloat: 0 }] }),
  streamIsActive: (stream: ServerWritableStream<unknown, object>) => void stream.write({ result: false }),
  streamMetricSpec: (stream: ServerWritableStream<unknown, object>) =>
    void stream.write({ metricSpecs: [spec] }),
});
server.bindAsync(`127.0.0.1:${config.grpc.port}`, ServerCredentials.createInsecure(), (_, port) => {
  process.stdout.write(`${JSON.stringify({ server: 'grpc', port })}\n${JSON.stringify({ msg: 'ready' })}\n`);
});
