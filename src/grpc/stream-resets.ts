import type { Server } from '@grpc/grpc-js';

/**
 * KEDA cancels two streams for each ScaledObject it takes anew, all on its one connection. Without this,
 * nghttp2 answers the 1001st reset of a burst, or more than 33 a second, by closing that connection and with
 * it every stream of the cluster: its guard against "rapid reset" (CVE-2023-44487). Still bounded: 100,000 in
 * a burst and 10,000 a second are more than KEDA can ask for.
 *
 * The options are Node's since 22.11 (nodejs/node#54875), older ones ignore them and keep nghttp2's limit.
 * grpc-js 1.14.7 has no option that reaches http2.createServer(), so this reaches into it.
 */
export function allowStreamResets(server: Server): void {
  const serverOptions: unknown = Reflect.get(server, 'commonServerOptions');
  if (typeof serverOptions !== 'object' || serverOptions === null) {
    throw new Error('grpc-js has changed: its Server has no commonServerOptions');
  }
  Object.assign(serverOptions, { streamResetBurst: 100_000, streamResetRate: 10_000 });
}
