import { holdPorts } from '../../fakes/ports.ts';

/** A port of 127.0.0.1 that was free a moment ago, for programs that cannot report which port they took. */
export async function freePort(): Promise<number> {
  const held = await holdPorts(1);
  await held.release();
  const [port] = held.numbers;
  if (port === undefined) throw new Error('no port is free');
  return port;
}
