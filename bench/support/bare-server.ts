import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { ExternalScaler } from '../../src/grpc/contract.ts';

/*
 * The cost of grpc-js alone: the same service with the same server options, whose answers are constants. A program of
 * its own.
 */

const metricSpecs = [{ metricName: 'constant', targetSize: '10', targetSizeFloat: 10 }];
const metricValues = [{ metricName: 'constant', metricValue: '100', metricValueFloat: 100 }];

const server = new Server({
  'grpc.max_receive_message_length': 64 * 1024,
  'grpc.max_concurrent_streams': 100_000,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
});
server.addService(ExternalScaler.service, {
  IsActive: (_call: unknown, answer: Answer) => answer(null, { result: true }),
  GetMetricSpec: (_call: unknown, answer: Answer) => answer(null, { metricSpecs }),
  GetMetrics: (_call: unknown, answer: Answer) => answer(null, { metricValues }),
  StreamIsActive: (call: ServerWritableStream<unknown, object>) => call.write({ result: true }),
  StreamMetricSpec: (call: ServerWritableStream<unknown, object>) => call.write({ metricSpecs }),
});
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`listening ${port}\n`);
});

type Answer = (error: null, response: object) => void;
