import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { simulate } from '../../src/cli/simulate.ts';
import { count, duration } from '../../src/simulation/compare.ts';
import { quantities } from '../../src/simulation/fail-if.ts';
import { maxHistoryBytes, maxHistoryPoints, maxHistorySeconds } from '../../src/simulation/history.ts';
import { maxSettings } from '../../src/simulation/settings.ts';
import { histories } from '../histories.ts';
import { filled } from './sources.ts';
import { table } from './table.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Shown {
  readonly file: string;
  readonly title: string;
  readonly about: string;
  readonly options: readonly string[];
}

const wantedSeconds = 60;

const outcomes = z.object({
  settings: z.array(
    z.object({
      name: z.string(),
      worstWaitSeconds: z.number(),
      replicaHours: z.number(),
      podStarts: z.number(),
    }),
  ),
});

const shown: readonly Shown[] = [
  {
    file: 'orders-weekday',
    title: 'A weekday of orders',
    about:
      'A Kafka topic, which records its arrivals: quiet at night, busy at noon and in the evening, and a newsletter at ten.',
    options: [
      '-f docs/histories/orders.yaml',
      '--history docs/histories/orders-weekday.csv',
      '--replica-rate 5 --pod-start-seconds 20',
      "--set 'drain 60 s:policy=drain,drainSeconds=60'",
      "--set 'threshold 300:lagThreshold=300'",
    ],
  },
  {
    file: 'batch-spikes',
    title: 'A queue of batches',
    about:
      'An SQS queue, which does not record them: nothing for long, then hundreds or thousands of items within seconds.',
    options: [
      '-f docs/histories/batch.yaml',
      '--history docs/histories/batch-spikes.csv',
      '--replica-rate 2 --pod-start-seconds 20',
      "--set 'drain 60 s:policy=drain,drainSeconds=60'",
      "--set 'threshold 120:queueLength=120'",
      "--set 'KEDA polls:type=external'",
    ],
  },
];

/** docs/simulate.md with the command's output, its pictures, and the histories. By path. */
export async function simulatePages(): Promise<readonly (readonly [path: string, text: string])[]> {
  const folder = await mkdtemp(join(tmpdir(), 'simulate-'));
  try {
    const played = await Promise.all(
      shown.map(async (one) => {
        const svg = join(folder, `${one.file}.svg`);
        const args = one.options.flatMap(words);
        const said = await run([...args, '--svg', svg]);
        const { settings } = outcomes.parse(JSON.parse(await run([...args, '-o', 'json'])));
        return { ...one, said, settings, svg: await readFile(svg, 'utf8') };
      }),
    );
    return [
      ...histories().map(([file, text]) => [`docs/histories/${file}`, text] as const),
      ...played.map(({ file, svg }) => [`docs/histories/${file}.svg`, svg] as const),
      ['docs/simulate.md', filled(await readFile(join(root, 'docs/simulate.md'), 'utf8'), parts(played))],
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function run(args: readonly string[]): Promise<string> {
  const env = { ...process.env, COLUMNS: '80' };
  const command = ['src/main.ts', 'simulate', ...args];
  return (await promisify(execFile)(process.execPath, command, { cwd: root, env })).stdout;
}

/** The words of a command line, as a shell splits them. */
function words(text: string): readonly string[] {
  return [...text.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word);
}

type Played = Shown & z.infer<typeof outcomes> & { readonly said: string };

function parts(played: readonly Played[]): Readonly<Record<string, string>> {
  const options = Object.entries(simulate.options).map(([name, { value, short, doc }]) => {
    const flags = short === undefined ? `--${name}` : `-${short}, --${name}`;
    return [`\`${flags}${value === undefined ? '' : ` ${value}`}\``, doc];
  });
  const bytes = `${maxHistoryBytes / 1024 / 1024} MiB`;
  const points = maxHistoryPoints.toLocaleString('en-US');
  const days = maxHistorySeconds / 86_400;
  return {
    options: table(['option', 'meaning'], options),
    quantities: table(
      ['quantity', 'is'],
      Object.entries(quantities).map(([name, { doc }]) => [`\`${name}\``, doc]),
    ),
    limits: `A history has at most ${bytes}, ${points} points and ${days} days. At most ${maxSettings} settings are compared.`,
    verdict: verdict(played),
    histories: played.map((one, i) => section(one, i === 0)).join('\n\n'),
  };
}

/** Whether every wait is short enough, and the cost beside the ScaledObject as written. */
function verdict(played: readonly Played[]): string {
  const rows = played.flatMap(({ title, settings }) => {
    const written = settings[0]?.replicaHours ?? 0;
    return settings.map(({ name, worstWaitSeconds, replicaHours, podStarts }, i) => {
      const more = Math.round((replicaHours / written - 1) * 100);
      return [
        i === 0 ? title : '',
        name,
        `${duration(worstWaitSeconds)}${worstWaitSeconds <= wantedSeconds ? '' : ': missed'}`,
        `${replicaHours.toFixed(1)}${i === 0 ? '' : ` (${more < 0 ? '−' : '+'}${Math.abs(more)} %)`}`,
        count(podStarts),
      ];
    });
  });
  const head = [
    'history',
    'setting',
    `worst wait, of ${wantedSeconds} s wanted`,
    'replica-hours',
    'pod starts',
  ];
  return table(head, rows);
}

/** Of what the command prints, the first has the end: the charts before it are those of the picture. */
function section({ title, about, options, file, said }: Played, isFirst: boolean): string {
  const end = said.slice(said.indexOf('\nsetting ')).trim();
  const text = isFirst
    ? `It prints the charts of the picture as text, and\n\n\`\`\`text\n${end}\n\`\`\`\n\n`
    : '';
  return `### ${title}

${about}

\`\`\`sh
backlog-scaler simulate ${options.join(' \\\n  ')}
\`\`\`

${text}![${title}: arrivals, replicas and waits of each setting](histories/${file}.svg)`;
}
