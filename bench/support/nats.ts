import { type NatsCluster, startNats } from '../../fakes/nats/cluster.ts';
import { goTool } from '../../test/support/tools/go.ts';

/** A real nats-server with JetStream, of the version that the tests use; it is built once, which needs Go. */
export async function startBenchNats(): Promise<NatsCluster> {
  return startNats({ program: await goTool('nats-server') });
}
