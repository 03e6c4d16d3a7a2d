/*
 * What we use of kafkajs 2.2.4 below its public API. The package has no `exports`, so the file can be imported;
 * it is pinned exactly, and test/unit/sources/kafka/upstream/wire/kafkajs-internals.test.ts fails when a name is gone.
 */
declare module 'kafkajs/src/network/connection.js' {
  import type { Socket } from 'node:net';
  import type { AuthenticationProviderArgs, Authenticator } from 'kafkajs';
  import type RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

  export interface KafkaJsLogger {
    info(message: string, extra?: object): void;
    error(message: string, extra?: object): void;
    warn(message: string, extra?: object): void;
    debug(message: string, extra?: object): void;
    namespace(name: string): KafkaJsLogger;
  }

  export type KafkaJsSasl =
    | { mechanism: string; username: string; password: string }
    | { mechanism: string; authenticationProvider(args: AuthenticationProviderArgs): Authenticator };

  export interface ConnectionOptions {
    host: string;
    port: number;
    clientId: string;
    logger: KafkaJsLogger;
    socketFactory(options: { host: string; port: number; onConnect(): void }): Socket;
    sasl: KafkaJsSasl | null;
    connectionTimeout: number;
    requestTimeout: number;
    enforceRequestTimeout: boolean;
  }

  /** kafkajs's Encoder, as far as it looks at one. */
  export interface Encoded {
    readonly buf: Buffer;
    readonly buffer: Buffer;
  }

  export interface Exchange<D extends { clientSideThrottleTime: number }, T> {
    request: { apiKey: number; apiVersion: number; apiName: string; encode(): Promise<Encoded> };
    response: { decode(payload: Buffer): Promise<D>; parse(decoded: D): Promise<T> };
    logResponseError?: boolean;
  }

  export default class Connection {
    constructor(options: ConnectionOptions);
    readonly requestQueue: RequestQueue;
    /** ms before the session's end at which the next request logs in again; a whole number. */
    reauthenticationThreshold: number;
    /** In ms; 0 without an end. */
    readonly sessionLifetime: { toNumber(): number };
    /** The bytes that the answer under way needs, its length included. */
    readonly bytesNeeded: number;
    connect(): Promise<unknown>;
    authenticate(): Promise<void>;
    isAuthenticated(): boolean;
    setVersions(versions: Record<number, { minVersion: number; maxVersion: number }>): void;
    setSupportAuthenticationProtocol(supported: boolean): void;
    send<D extends { clientSideThrottleTime: number }, T>(exchange: Exchange<D, T>): Promise<T>;
    processData(data: Buffer): void;
    rejectRequests(reason: Error): void;
  }
}

declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    readonly inflight: ReadonlyMap<number, unknown>;
    readonly pending: readonly unknown[];
    /** ms of the wall clock; -1 before the first throttle. */
    throttledUntil: number;
    scheduleCheckPendingRequests(): void;
    destroy(): void;
  }
}
