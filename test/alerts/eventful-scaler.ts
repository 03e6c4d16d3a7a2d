import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import { FakeGitHub } from '../../fakes/github/fake-github.ts';
import { makeCertificates } from '../support/certificates.ts';
import { DecisionSink, status } from '../support/decision-sink.ts';
import { age } from '../support/event-store.ts';
import { ingest, postEvents, workEvent, workItems } from '../support/events/event-posts.ts';
import { app, hasty, run, secret } from '../support/github-scaler.ts';
import { jobPayload, send } from '../support/github-webhooks.ts';
import { ref, TestClient } from '../support/rpc-client.ts';
import { WholeScaler } from '../support/whole-scaler.ts';

const waiters = 12;

/** A whole scaler, over TLS, in which every event with a metric happens. */
export class EventfulScaler {
  private readonly scaler: WholeScaler;
  private readonly client: TestClient;
  private readonly github: FakeGitHub;
  private readonly settings: object;
  private round = 0;

  /** It ends with the test. */
  static async start(): Promise<EventfulScaler> {
    const directory = mkdtempSync(join(tmpdir(), 'eventful-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const { ca, server } = makeCertificates(directory);
    const github = await FakeGitHub.start({ owner: 'acme', app });
    onTestFinished(() => github.close());
    github.addRepo('web');
    const sink = await DecisionSink.start();
    onTestFinished(() => sink.stop());
    // It accepts the first decisions and then no more, so the others are dropped.
    sink.behave = [status(202), status(503)];
    const events = join(directory, 'events');
    await age(events, ['builds']);
    const settings = configured(github, sink, server, events);
    const scaler = await WholeScaler.start(settings, {
      'app.pem': github.app?.privateKey ?? '',
      'webhook-secret': secret,
    });
    onTestFinished(() => scaler.stop());
    const client = new TestClient(
      `localhost:${scaler.port('grpc')}`,
      credentials.createSsl(readFileSync(ca)),
    );
    onTestFinished(() => client.close());
    return new EventfulScaler(scaler, client, github, settings);
  }

  private constructor(scaler: WholeScaler, client: TestClient, github: FakeGitHub, settings: object) {
    this.scaler = scaler;
    this.client = client;
    this.github = github;
    this.settings = settings;
    client.streamIsActive(runners('ci'));
    client.streamMetricSpec(runners('ci'));
    // A workload that grows, and is nudged.
    client.streamIsActive(worker(0));
    void this.look(client.streamMetricSpec(worker(0)));
  }

  /**
   * KEDA rewrites the HPA for each spec, and the HPA looks. KEDA then also requests activity. If that request goes
   * elsewhere, other pods exist.
   */
  private async look(specs: ReturnType<TestClient['streamMetricSpec']>): Promise<void> {
    try {
      for (;;) {
        await specs.next();
        await this.client.getMetrics(worker(0), '').catch(() => {});
        await this.client.isActive(worker(0)).catch(() => {});
      }
    } catch {
      // The test has ended.
    }
  }

  get adminPort(): number {
    return this.scaler.port('admin');
  }

  /** One of each event. The more often, the more happens between two scrapes. */
  async happen(): Promise<void> {
    this.round += 1;
    const port = this.scaler.port('ingest');
    // This GitHub has no webhook. Only a read finds the job, and corrects the ledger.
    if (this.round % 5 === 1) this.github.startRun('web', run(1));
    const word = this.round % 2 === 1 ? 'requested' : 'done';
    for (const item of ['a', 'b', 'c']) {
      await postEvents(port, workEvent(word, `item-${(this.round + 1) >> 1}-${item}`));
    }
    await send(port, jobPayload('queued', { id: 900_000 + this.round, run_id: 800_000 + this.round }));
    await send(port, jobPayload('queued'), { signedWith: 'not the secret' });
    await this.poll();
    if (this.round > 2) return;
    await this.scaler.reload({ ...this.settings, log: { level: this.round === 1 ? 'loud' : 'warn' } });
  }

  private async poll(): Promise<void> {
    const workers = Array.from({ length: waiters }, (_, i) => worker(i));
    const wrong = ref('wrong', { source: 'nowhere' });
    const triggers = [...workers, draining, runners('ci'), runners('down'), wrong];
    await Promise.allSettled(triggers.map((trigger) => this.client.getMetrics(trigger, '')));
  }
}

function worker(number: number) {
  return ref(`worker-${number}`, { source: 'events', connection: 'builds', backlog: 'work' });
}

/** A trigger with policy: drain. */
const draining = ref('draining', {
  source: 'events',
  connection: 'builds',
  backlog: 'work',
  policy: 'drain',
  drainSeconds: '60',
  replicaRate: '1',
});

function runners(connection: string) {
  return ref(`runners-${connection}`, { source: 'github', connection });
}

function configured(
  github: FakeGitHub,
  sink: DecisionSink,
  { cert, key }: { cert: string; key: string },
  dir: string,
): object {
  const acme = {
    source: 'github',
    owner: 'acme',
    app: { id: github.app?.id, privateKeyFile: 'app.pem' },
    webhookSecretFile: 'webhook-secret',
    ...hasty,
  };
  return {
    grpc: { host: '127.0.0.1', port: 0, tls: { certFile: cert, keyFile: key } },
    ingest,
    eventLog: { type: 'file', dir },
    limits: { coldReadTimeoutMs: 50, firstSyncTimeoutSeconds: 1 },
    security: { allowPlaintextSecrets: true },
    decisions: { sink: sink.url, maxQueued: 2, batchSize: 1, flushMs: 1 },
    connections: {
      builds: { source: 'events', ttlSeconds: 3600, items: workItems },
      ci: { ...acme, apiUrl: github.url },
      // Nothing listens on the discard port.
      down: { ...acme, apiUrl: 'http://127.0.0.1:9' },
    },
  };
}
