import { startGitHub } from '../support/github.ts';
import { pools } from '../support/github-pools.ts';
import { type PodsSetting, Reconciled } from '../support/github-reconcile.ts';
import { GitHubWorld } from '../support/github-world.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const repositories = 100;
const openRuns = 10;
const hourMs = 3_600_000;
const minuteMs = 60_000;

const settings: readonly PodsSetting[] = [
  { count: 1, together: false },
  { count: 2, together: true },
  { count: 3, together: true },
  { count: 2, together: false },
  { count: 3, together: false },
];

export const githubPods: Row = {
  name: 'github-pods',
  inProcess: true,
  about: 'REST requests an hour with 1, 2 and 3 pods, where one asks for all and where each asks for itself',
  measure: async (bench) => {
    const findings: Finding[] = [];
    for (const by of ['token', 'app'] as const)
      for (const setting of settings) findings.push(await measure(bench, by, setting));
    return findings;
  },
};

/**
 * Uses the shipped intervals, on a clock that jumps. Every request of these hours is really sent, and counted by GitHub.
 */
async function measure(
  { quick, progress }: Bench,
  by: 'app' | 'token',
  { count, together }: PodsSetting,
): Promise<Finding> {
  const hours = quick ? 1 : 3;
  const time = new VirtualTime();
  const github = await startGitHub(repositories, time.now);
  const world = new GitHubWorld(github, time, { repositories, openRuns, pools: pools(20) });
  await time.run(hourMs / 4, async () => {});
  const ours = await Reconciled.start(github, time, by, { count, together });
  const settled = async (): Promise<void> => {
    await github.delivered();
    await time.asleep();
  };
  const counted = () => github.requests.filter(({ status }) => status !== 401);
  try {
    github.recorder.clear();
    // By then all pods have started, and have read everything.
    await time.run(hourMs / 2, settled);
    const start = counted().length;
    await time.run(hourMs / 2, settled);
    world.loseOneOf(100);
    github.recorder.clear();
    let apartMinutes = 0;
    for (let minute = 0; minute < hours * 60; minute++) {
      await time.run(minuteMs, settled);
      if (ours.openJobs === undefined) apartMinutes++;
    }
    const sent = counted();
    const counts = sent.filter(({ status, tokenKind }) => status !== 304 && tokenKind !== 'app');
    const perHour = { sent: sent.length / hours, counted: counts.length / hours };
    const how = count === 1 ? '1 pod' : `${count} pods, ${together ? 'one asks for all' : 'each for itself'}`;
    progress(`${by}, ${how}: ${perHour.counted} that count, ${perHour.sent} sent`);
    return {
      what: `REST requests an hour by ${by === 'app' ? 'an App' : 'a token'}, ${how}`,
      target: '-',
      measured: `${perHour.counted.toFixed(0)} that count, ${perHour.sent.toFixed(0)} sent (first half hour, starts ${count > 1 ? '7 min apart' : ''}: ${start}; pods differed at the end of ${apartMinutes} of ${hours * 60} minutes)`,
      numbers: {
        pods: count,
        together: together ? 1 : 0,
        ...perHour,
        firstHalfHour: start,
        hours,
        apartMinutes,
      },
    };
  } finally {
    github.mendDeliveries();
    await ours.close();
    await github.close();
  }
}
