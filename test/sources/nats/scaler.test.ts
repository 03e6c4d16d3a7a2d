import { describe, expect, it, onTestFinished } from 'vitest';
import { JetStreamUser } from '../../support/nats/jetstream.ts';
import { useNats } from '../../support/nats/server.ts';
import { ref } from '../../support/rpc-client.ts';
import { WholeScaler } from '../../support/whole-scaler.ts';

describe('the whole scaler', () => {
  const nats = useNats();

  it('pushes true for a message on a stream at rest, and then its number', async () => {
    const user = await JetStreamUser.connect(nats().urls);
    onTestFinished(() => user.close());
    const { stream, consumer } = await user.stream();
    const scaler = await WholeScaler.start({
      connections: { stream: { source: 'nats', servers: [...nats().urls], reconcileSeconds: 3600 } },
    });
    onTestFinished(() => scaler.stop());
    // With keys of KEDA's own trigger, which have no effect here.
    const trigger = ref('w', {
      source: 'nats',
      stream,
      consumer,
      lagThreshold: '5',
      account: '$G',
      natsServerMonitoringEndpoint: 'nats.nats:8222',
      useHttps: 'false',
    });
    const active = scaler.client.streamIsActive(trigger);
    expect(await active.next()).toEqual({ result: false });
    await user.publish(`${stream}.a`, 12);
    expect(await active.next()).toEqual({ result: true });
    const metricName = `nats-${stream}-${consumer}`;
    expect(await scaler.client.getMetricSpec(trigger)).toMatchObject({
      metricSpecs: [{ metricName, targetSizeFloat: 5 }],
    });
    await expect
      .poll(() => scaler.client.getMetrics(trigger, metricName))
      .toMatchObject({ metricValues: [{ metricValueFloat: 12 }] });
  });
});
