import type { AdminDeps } from '../../src/admin/server.ts';
import { AdminServer } from '../../src/admin/server.ts';
import type { ConnectionUse } from '../../src/subjects/connections.ts';
import { Histories, History } from '../../src/triggers/history.ts';
import type { TriggerSummary } from '../../src/triggers/trigger-status.ts';

/** An invented trigger: its name, and its backlog over time. */
export interface Actor {
  readonly summary: TriggerSummary;
  /** Items at a minute of the last two hours. 120 is now. */
  itemsAt(minute: number): number;
}

/** The admin server over invented triggers with an hour of history, for pictures and for tests that need many. */
export class Scene {
  readonly summaries = new Map<string, TriggerSummary>();
  connections: readonly ConnectionUse[] = [];
  explain = 'Trigger of shop/orders\n  Parameters\n    source: kafka\n';
  private readonly histories = new Histories();
  private readonly pasts = new Map<string, History>();
  private server: AdminServer | undefined;

  constructor() {
    this.histories.use({ hours: 6, bytes: 100_000_000 });
  }

  add({ summary, itemsAt }: Actor): void {
    this.summaries.set(summary.id, summary);
    const history = new History(summary.namespace, this.histories);
    this.pasts.set(summary.id, history);
    let wasActive: boolean | undefined;
    for (let sixth = 0; sixth <= 720; sixth += 1) {
      const atMs = sixth * 10_000;
      const items = Math.max(0, Math.round(itemsAt(sixth / 6)));
      const active = items > 0;
      if (wasActive !== undefined && active !== wasActive) {
        history.note({ kind: active ? 'activated' : 'deactivated', atMs, cause: active ? 'watch' : 'clock' });
      }
      wasActive = active;
      history.record({ backlog: items, value: items, target: summary.target, active }, atMs);
    }
  }

  /** Changes a trigger from now on. */
  change(id: string, change: Partial<TriggerSummary>): void {
    const summary = this.summaries.get(id);
    if (summary) this.summaries.set(id, { ...summary, ...change });
  }

  /** Returns the page's address. */
  async start(more: Partial<AdminDeps> = {}): Promise<string> {
    const all = (): TriggerSummary[] => [...this.summaries.values()];
    this.server = new AdminServer(
      {
        exposition: async () => '',
        triggers: { statuses: all, summaries: all, past: (id, lastMs) => this.past(id, lastMs) },
        connections: () => this.connections,
        details: async (id) => {
          const summary = this.summaries.get(id);
          return summary && { id, namespace: summary.namespace, name: summary.name, explain: this.explain };
        },
        version: '0.1.0',
        readiness: () => ({ ready: true, checks: {} }),
        token: () => undefined,
        maxConnections: 128,
        ...more,
      },
      { live: { everyMs: 200 } },
    );
    return `http://127.0.0.1:${await this.server.listen({ host: '127.0.0.1', port: 0 })}/`;
  }

  async stop(): Promise<void> {
    await this.server?.close();
  }

  private past(id: string, lastMs = Number.POSITIVE_INFINITY) {
    const summary = this.summaries.get(id);
    const history = this.pasts.get(id);
    if (!summary || !history) return undefined;
    const endMs = 7_200_000;
    const offsetMs = Date.now() - endMs;
    const fromMs = Math.max(0, endMs - lastMs);
    return {
      summary,
      nowMs: Date.now(),
      points: history.pointsSince(fromMs, endMs).map((point) => ({ ...point, atMs: point.atMs + offsetMs })),
      events: history.eventsSince(fromMs).map((event) => ({ ...event, atMs: event.atMs + offsetMs })),
    };
  }
}

export function summaryOf(n: number, given: Partial<TriggerSummary> = {}): TriggerSummary {
  return {
    id: `id-${n}`,
    namespace: `team-${n % 20}`,
    name: `worker-${n}`,
    source: 'kafka',
    connection: 'orders',
    metricName: `kafka-worker-${n}`,
    up: true,
    target: 10,
    items: n % 100,
    value: n % 100,
    desired: Math.ceil((n % 100) / 10),
    active: n % 100 > 0,
    ageMs: 1_000,
    surge: 'ready',
    ...given,
  };
}
