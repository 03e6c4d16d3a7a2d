import { type Fault, rounds } from '../fault.ts';
import { sweepSeconds } from '../places/github.ts';

const lost = 0.05;

export const webhooks: Fault = {
  name: 'webhooks',
  about: `${lost * 100} % of GitHub's webhooks are lost, half of them without a trace`,
  seconds: 25,
  scene: () => ({ github: 4 }),
  async run(stage, seconds) {
    const { random } = stage;
    const { hub } = stage.theGitHub;
    let dropped = 0;
    const draw = (): boolean => {
      const isLost = random() < lost / 2;
      if (isLost) dropped++;
      return isLost;
    };
    const times = await rounds(stage, {
      seconds,
      brokenSeconds: Math.min(15, seconds / 2),
      graceMs: 3 * sweepSeconds * 1000,
      break() {
        hub.loseDeliveries(draw);
        hub.loseDeliveries(draw, { statusCode: 502 });
      },
      heal: () => hub.mendDeliveries(),
    });
    return `${times}, ${dropped} webhooks`;
  },
};
