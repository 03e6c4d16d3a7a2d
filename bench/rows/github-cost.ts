import type { FakeGitHub } from '../../fakes/github/fake-github.ts';
import { startGitHub, token, unlimited } from '../support/github.ts';
import { GitHubKedaWay } from '../support/github-keda-way.ts';
import { owner, pools } from '../support/github-pools.ts';
import { Reconciled } from '../support/github-reconcile.ts';
import { GitHubWorld } from '../support/github-world.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const repositories = 100;
const openRuns = 10;
const hourMs = 3_600_000;
const pollMs = 30_000;
/** In an hour, with KEDA's defaults: each poll (30 s), and while the workload runs also each read of the HPA (15 s). */
const evaluations = { zero: 120, active: 360 } as const;
const oneLostOf = 100;

const where = `${repositories} repositories, ${openRuns} open runs`;

/** Requests, and how many of them count against the hourly limit. A 304 does not. */
interface Sent {
  readonly sent: number;
  readonly counted: number;
}

export const githubCost: Row = {
  name: 'github-cost',
  inProcess: true,
  about: `REST requests an hour for ${repositories} repositories with ${openRuns} open runs, and KEDA's for the same`,
  measure,
};

async function measure({ quick, progress }: Bench): Promise<Finding[]> {
  const time = new VirtualTime();
  const github = await startGitHub(repositories, time.now);
  const world = new GitHubWorld(github, time, { repositories, openRuns, pools: pools(20) });
  const scene: Scene = { github, time, world, progress };
  const rounds = quick ? 2 : 10;
  try {
    // By then all runs have begun.
    await time.run(hourMs / 4, async () => {});
    const hours = quick ? 1 : 7;
    const findings = [await measureOurs(scene, { by: 'app', hours })];
    findings.push(await measureOurs(scene, { by: 'token', hours }));
    unlimited(github);
    findings.push(await measureKeda(scene, { scaledObjects: 1, enableEtags: false, rounds }));
    findings.push(await measureKeda(scene, { scaledObjects: 20, enableEtags: false, rounds: quick ? 1 : 2 }));
    findings.push(await measureKeda(scene, { scaledObjects: 1, enableEtags: true, rounds }));
    return findings;
  } finally {
    await github.close();
  }
}

interface Scene {
  readonly github: FakeGitHub;
  readonly time: VirtualTime;
  readonly world: GitHubWorld;
  progress(line: string): void;
}

/**
 * Uses the shipped intervals, on a clock that jumps. Every request of these hours is really sent, and counted by GitHub.
 */
async function measureOurs(
  { github, time, world, progress }: Scene,
  { by, hours }: { by: 'app' | 'token'; hours: number },
): Promise<Finding> {
  github.recorder.clear();
  const ours = await Reconciled.start(github, time, by);
  const settled = async () => {
    await github.delivered();
    await time.asleep();
  };
  try {
    await settled();
    const firstSync = sentTo(github).sent;
    progress(`the first sync: ${firstSync} requests`);
    await time.run(hourMs, settled);
    world.loseOneOf(oneLostOf);
    github.recorder.clear();
    const [webhooks, lost] = [ours.webhooks, world.lost];
    let wrongMinutes = 0;
    for (let minute = 1; minute <= hours * 60; minute++) {
      await time.run(hourMs / 60, settled);
      if (ours.openJobs !== github.openJobs().length) wrongMinutes++;
      if (minute % 60 === 0)
        progress(`hour ${minute / 60} of ${hours}: ${sentTo(github).sent} requests so far`);
    }
    const after = sentTo(github);
    return ourFinding(by, {
      sent: after.sent / hours,
      counted: after.counted / hours,
      firstSync,
      hours,
      webhooks: (ours.webhooks - webhooks) / hours,
      webhooksLost: world.lost - lost,
      corrections: ours.corrections,
      wrongMinutes,
    });
  } finally {
    github.mendDeliveries();
    await ours.close();
  }
}

interface KedaSetting {
  readonly scaledObjects: number;
  readonly enableEtags: boolean;
  /** How often each ScaledObject is evaluated. The hour is extrapolated from these. */
  readonly rounds: number;
}

async function measureKeda({ github, time, progress }: Scene, setting: KedaSetting): Promise<Finding> {
  const { scaledObjects, enableEtags, rounds } = setting;
  const apiUrl = github.url;
  const clients = Array.from({ length: scaledObjects }, () => {
    return new GitHubKedaWay({ apiUrl, owner, token, enableEtags });
  });
  const round = async () => {
    await time.run(pollMs, async () => {});
    for (const client of clients) await client.evaluate();
  };
  // Requests that only the first evaluation needs are not part of the hour.
  if (enableEtags) await round();
  github.recorder.clear();
  for (let each = 0; each < rounds; each++) await round();
  const after = sentTo(github);
  const evaluated = rounds * scaledObjects;
  progress(`${evaluated} evaluations of KEDA's: ${after.sent} requests`);
  return kedaFinding(setting, {
    sent: after.sent / evaluated,
    counted: after.counted / evaluated,
  });
}

/**
 * The requests since the recorder was cleared. The App's own requests count against another limit. Its JWTs use the
 * machine's clock, not the virtual one. GitHub refuses them once with 401, which is left out.
 */
function sentTo({ requests }: FakeGitHub): Sent {
  const answered = requests.filter(({ status }) => status !== 401);
  const counted = answered.filter(({ status, tokenKind }) => status !== 304 && tokenKind !== 'app');
  return { sent: answered.length, counted: counted.length };
}

interface OurHour extends Sent {
  readonly firstSync: number;
  readonly hours: number;
  readonly webhooks: number;
  readonly webhooksLost: number;
  readonly corrections: number;
  readonly wrongMinutes: number;
}

function ourFinding(by: 'app' | 'token', hour: OurHour): Finding {
  const { counted, sent, firstSync, hours, webhooks } = hour;
  const parts = [
    `${counted.toFixed(0)} that count, ${sent.toFixed(0)} sent`,
    `first sync ${firstSync}; ${hours} h by a virtual clock, ${webhooks.toFixed(0)} webhooks/h`,
  ];
  return {
    what: `REST requests an hour by ${by === 'app' ? 'an App' : 'a token'}, ${where}, any number of ScaledObjects`,
    target: '-',
    measured: `${parts[0]} (${parts[1]})`,
    numbers: { ...hour },
  };
}

function kedaFinding({ scaledObjects, enableEtags, rounds }: KedaSetting, each: Sent): Finding {
  const hour = (times: number) => Math.round(times * scaledObjects * each.counted);
  const [atZero, active] = [hour(evaluations.zero), hour(evaluations.active)];
  const evaluated = `${rounds * scaledObjects} evaluations of ${each.sent.toFixed(1)} requests`;
  const numbers = {
    scaledObjects,
    evaluations: rounds * scaledObjects,
    sentPerEvaluation: each.sent,
    countedPerEvaluation: each.counted,
    countedPerHourAtZero: atZero,
    countedPerHourActive: active,
  };
  return {
    what: `the same by KEDA's way${enableEtags ? ' with enableEtags' : ''}, ${scaledObjects} ScaledObject${scaledObjects > 1 ? 's' : ''}`,
    target: '-',
    measured: `${atZero} that count at zero replicas, ${active} with replicas (from ${evaluated})`,
    numbers,
  };
}
