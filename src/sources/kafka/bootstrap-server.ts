import { z } from 'zod';
import { formatAddress, parseAddress } from './protocol/address.ts';

/** `Broker-1:09092 ` → `broker-1:9092`, so that equal servers are equal texts; undefined: not a host:port. */
export function normaliseServer(text: string): string | undefined {
  const address = parseAddress(text.trim().toLowerCase());
  return address === undefined || /[\s/@]/.test(address.host) ? undefined : formatAddress(address);
}

/** One broker to start from, as the configuration has it. */
export const bootstrapServer = z.string().transform((text, context) => {
  const server = normaliseServer(text);
  if (server !== undefined) return server;
  context.addIssue({ code: 'custom', message: 'must be host:port, such as kafka-0.kafka:9092' });
  return z.NEVER;
});
