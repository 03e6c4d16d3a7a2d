import { type Fault, rounds } from '../fault.ts';

/** Longer than any of their readings may be kept, so that in the end no number is left. */
const brokenSeconds = 10;

export const freezeUpstreams: Fault = {
  name: 'freeze-upstreams',
  about: 'Kafka is stopped (SIGSTOP), SQS falls silent, GitHub never answers; webhooks go on',
  seconds: 25,
  scene: () => ({ kafka: { topics: 3 }, sqs: 3, github: 2 }),
  run(stage, seconds) {
    const { cluster } = stage.theKafka;
    const { proxy } = stage.theSqs;
    const { faults } = stage.theGitHub.hub;
    let letGo = () => {};
    return rounds(stage, {
      seconds,
      brokenSeconds,
      graceMs: 2000,
      async break(_, traffic) {
        // A frozen broker would take changes at an unknown time after it continues.
        letGo = await traffic.hold(({ reference }) => reference.scalerMetadata?.['source'] === 'kafka');
        for (const broker of cluster.brokers) broker.signal('SIGSTOP');
        proxy.become('silent');
        faults.hang = true;
      },
      heal() {
        for (const broker of cluster.brokers) broker.signal('SIGCONT');
        proxy.become('passing');
        faults.clear();
        letGo();
      },
    });
  },
};
