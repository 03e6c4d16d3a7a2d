// Writes the histories of docs/histories, the same ones each time: `node scripts/histories.ts`. They have the form of
// /api/triggers/{id}/history, with invented content. A test compares them with the committed files.
import { writeFileSync } from 'node:fs';
import { seeded } from '../fakes/random.ts';

interface Shape {
  readonly file: string;
  readonly start: string;
  readonly hours: number;
  readonly everySeconds: number;
  readonly seed: number;
  /** Items a second of one replica. `threshold` is that of the recorded trigger. */
  readonly replicaRate: number;
  readonly threshold: number;
  readonly mostReplicas: number;
  /** Whether the source shows arrivals. Kafka does, SQS does not. */
  readonly arrivals: boolean;
  /** Expected items a second. */
  rate(second: number, random: () => number): number;
}

const hour = 3600;

/** A bell curve of this height, centered on an hour of the day, with a width in hours. */
function bell(second: number, height: number, atHour: number, hours: number): number {
  return height * Math.exp(-(((second / hour - atHour) / hours) ** 2));
}

const shapes: readonly Shape[] = [
  {
    // A shop's orders: quiet at night, busy at noon and in the evening, with a newsletter at ten.
    file: 'orders-weekday.csv',
    start: '2026-11-23T00:00:00Z',
    hours: 24,
    everySeconds: 60,
    seed: 1,
    replicaRate: 5,
    threshold: 50,
    mostReplicas: 30,
    arrivals: true,
    rate: (second) => {
      const newsletter = second >= 10 * hour && second < 10 * hour + 240 ? 90 : 0;
      return (
        0.4 +
        bell(second, 25, 12.5, 2.2) +
        bell(second, 42, 20, 2) +
        bell(second, 90, 10.15, 0.2) / 3 +
        newsletter
      );
    },
  },
  {
    // Files to convert: nothing for a long time, then hundreds or thousands within seconds.
    file: 'batch-spikes.csv',
    start: '2026-11-24T06:00:00Z',
    hours: 12,
    everySeconds: 30,
    seed: 2,
    replicaRate: 2,
    threshold: 20,
    mostReplicas: 40,
    arrivals: false,
    rate: (() => {
      let [until, perSecond] = [0, 0];
      return (second: number, random: () => number): number => {
        if (random() < 1 / 2400 && second > until) {
          until = second + 20 + Math.floor(random() * 60);
          perSecond = (200 + random() ** 2 * 3800) / (until - second);
        }
        return second < until ? perSecond : 0;
      };
    })(),
  },
];

/** Replicas follow the threshold, with a look every 15 seconds and downscaling after five minutes. */
function csvOf({
  start,
  hours,
  everySeconds,
  replicaRate,
  threshold,
  mostReplicas,
  ...shape
}: Shape): string {
  const random = seeded(shape.seed);
  const lines = ['time,backlog,arrivals,value,target,active,desired'];
  const asked: number[] = [];
  let [backlog, came, replicas, due] = [0, 0, 0, 0];
  for (let second = 0; second <= hours * hour; second += 1) {
    if (second % everySeconds === 0) {
      const time = new Date(Date.parse(start) + second * 1000).toISOString().replace('.000Z', 'Z');
      const items = Math.ceil(backlog);
      const arrivals = shape.arrivals && second > 0 ? came : '';
      lines.push(
        [time, items, arrivals, items, threshold, items > 0, Math.ceil(items / threshold)].join(','),
      );
      came = 0;
    }
    due += shape.rate(second, random) * (0.6 + 0.8 * random());
    const arrived = Math.floor(due);
    due -= arrived;
    came += arrived;
    backlog += arrived;
    if (second % 15 === 0) {
      asked.push(Math.min(mostReplicas, Math.ceil(backlog / threshold)));
      replicas = Math.max(...asked.slice(-20));
    }
    backlog = Math.max(0, backlog - replicas * replicaRate);
  }
  return `${lines.join('\n')}\n`;
}

/** The files of docs/histories by name. */
export function histories(): readonly (readonly [file: string, text: string])[] {
  return shapes.map((shape) => [shape.file, csvOf(shape)]);
}

if (import.meta.main) {
  for (const [file, text] of histories()) {
    writeFileSync(new URL(`../docs/histories/${file}`, import.meta.url), text);
  }
}
