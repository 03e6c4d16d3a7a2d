import { ScalerError } from '../../src/errors.ts';

/** An SQS in this process. */
export interface EmbeddedSqs {
  /** `http://127.0.0.1:port` */
  readonly endpoint: string;
  close(): Promise<void>;
}

type Emulator = Pick<typeof import('fauxqs'), 'buildApp'>;

/** fauxqs is installed only with the development dependencies. */
const installed = (): Promise<Emulator> => import('fauxqs');

/** Throws ScalerError if the emulator is not installed. */
export async function startSqs(load = installed): Promise<EmbeddedSqs> {
  const { buildApp } = await loaded(load);
  const app = buildApp({ logger: false });
  // The emulator's own start would listen on every address of this machine.
  const endpoint = await app.listen({ host: '127.0.0.1', port: 0 });
  return { endpoint, close: () => app.close() };
}

/** Why this process cannot have an SQS. Undefined if it can. */
export async function missingSqs(load = installed): Promise<string | undefined> {
  try {
    await loaded(load);
    return undefined;
  } catch (reason) {
    return ScalerError.from(reason).message;
  }
}

async function loaded(load: () => Promise<Emulator>): Promise<Emulator> {
  try {
    return await load();
  } catch (cause) {
    throw new ScalerError('unavailable', `${whyNot(cause)}; it comes with npm ci in a clone of the project`, {
      cause,
    });
  }
}

function whyNot(reason: unknown): string {
  const missing = reason instanceof Error && 'code' in reason && reason.code === 'ERR_MODULE_NOT_FOUND';
  if (missing) return 'fauxqs, which plays the part of SQS, is a development dependency and is not installed';
  return `fauxqs, which plays the part of SQS, cannot be loaded (${reason instanceof Error ? reason.message : String(reason)})`;
}
