/** Kafka's api keys of the requests we send (https://kafka.apache.org/protocol#protocol_api_keys). */
export const apiKeys = {
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  offsetFetch: 9,
  findCoordinator: 10,
  saslHandshake: 17,
  apiVersions: 18,
  saslAuthenticate: 36,
} as const;
