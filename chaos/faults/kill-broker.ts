import { type Fault, rounds } from '../fault.ts';

/** By then leaders and coordinators have moved, and moved back. */
const electionMs = 8000;

export const killBroker: Fault = {
  name: 'kill-broker',
  about: 'kill -9 of one of three Kafka brokers, which then starts again',
  seconds: 25,
  scene: () => ({ kafka: { topics: 6, brokers: 3 } }),
  run(stage, seconds) {
    const cluster = stage.theKafka.cluster;
    const idOf = (round: number) => 1 + (round % cluster.brokers.length);
    return rounds(stage, {
      seconds,
      brokenSeconds: 6,
      graceMs: electionMs,
      break: (round) => cluster.broker(idOf(round)).kill(),
      heal: (round) => cluster.restart(idOf(round)),
    });
  },
};
