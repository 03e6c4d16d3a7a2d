import type { LoadedConfig } from '../config/load.ts';
import type { Configurable, Prepared } from '../config/reload.ts';
import { anySender, sendersOf } from './senders.ts';
import type { IngestDeps, IngestServer } from './server.ts';

/** The way in for events. Its server is loaded with the first configuration that lets somebody send, and stays. */
export class Ingest implements Configurable {
  private readonly deps: IngestDeps;
  private server: IngestServer | undefined;

  constructor(deps: IngestDeps) {
    this.deps = deps;
  }

  async prepare(config: LoadedConfig): Promise<Prepared> {
    const senders = sendersOf(config.connections.values(), config.settings.ingest.tokens);
    if (this.server === undefined && !anySender(senders)) return { commit: () => {}, discard: () => {} };
    const { IngestServer } = await import('./server.ts');
    this.server ??= new IngestServer(this.deps);
    return this.server.prepare(config);
  }

  /** Takes nothing new; requests that are under way have so long to end. */
  async drain(limitMs: number): Promise<void> {
    await this.server?.drain(limitMs);
  }
}
