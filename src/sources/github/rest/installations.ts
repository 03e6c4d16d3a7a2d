import { ScalerError } from '../../../errors.ts';

/** An enterprise has hundreds of organisations, hardly more. */
const maxOwners = 1_000;
/** For how long an owner without the App is not asked for again. */
const missingMs = 60_000;

export interface InstallationsOptions {
  /** The owner whose installation is configured. */
  readonly owner: string;
  readonly configured: number | undefined;
  /** Asks GitHub; undefined where the App is not installed. */
  readonly lookUp: (owner: string, signal: AbortSignal) => Promise<number | undefined>;
  readonly now: () => number;
}

/** Which installation of the App stands for an owner: as configured, as a webhook said, else as GitHub says. */
export class Installations {
  private readonly ids = new Map<string, number>();
  private readonly missingUntilMs = new Map<string, number>();
  private readonly options: InstallationsOptions;

  constructor(options: InstallationsOptions) {
    this.options = options;
  }

  /** Without asking anybody. */
  known(owner: string): number | undefined {
    const { configured } = this.options;
    const key = owner.toLowerCase();
    if (configured !== undefined && key === this.options.owner.toLowerCase()) return configured;
    return this.ids.get(key);
  }

  /** Throws ScalerError `unavailable`, not `not_found`: without the App nothing is known of what the owner has. */
  async idOf(owner: string, signal: AbortSignal): Promise<number> {
    const known = this.known(owner);
    if (known !== undefined) return known;
    const key = owner.toLowerCase();
    const nowMs = this.options.now();
    if (nowMs < (this.missingUntilMs.get(key) ?? 0)) throw notInstalled(owner);
    const id = await this.options.lookUp(owner, signal);
    if (id === undefined) {
      put(this.missingUntilMs, key, nowMs + missingMs);
      throw notInstalled(owner);
    }
    this.learn(owner, id);
    return id;
  }

  learn(owner: string, installationId: number): void {
    const key = owner.toLowerCase();
    this.missingUntilMs.delete(key);
    put(this.ids, key, installationId);
  }

  /** GitHub no longer knows an installation. Throws ScalerError that says what to do about it. */
  gone(owner: string, installationId: number): never {
    if (this.ids.get(owner.toLowerCase()) === installationId) this.ids.delete(owner.toLowerCase());
    if (this.options.configured !== installationId) throw notInstalled(owner);
    throw new ScalerError(
      'unavailable',
      `the App has no installation ${installationId}: check the connection's \`app.installationId\`, or leave it out`,
    );
  }
}

function notInstalled(owner: string): ScalerError {
  return new ScalerError('unavailable', `the App is not installed on ${owner}: install it there`);
}

function put<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= maxOwners) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
