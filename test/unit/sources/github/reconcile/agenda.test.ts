import { describe, expect, it } from 'vitest';
import {
  mostUrgent,
  type Outlook,
  type RepoOutlook,
} from '../../../../../src/sources/github/reconcile/agenda.ts';

const never = Number.POSITIVE_INFINITY;
const nowMs = 1_000_000;
const past = nowMs - 1;

const idle: Outlook = {
  nowMs,
  pausedUntilMs: 0,
  heldUntilMs: 0,
  unseenAtMs: 0,
  verifyAtMs: never,
  deliveriesAtMs: never,
  listAtMs: never,
  listed: true,
  repos: [],
};

function repo(name: string, more: Partial<RepoOutlook> = {}): RepoOutlook {
  const outlook = {
    named: false,
    seen: true,
    synced: true,
    active: false,
    underWay: false,
    dueAtMs: past,
    sinceMs: undefined,
  };
  return { repo: name, ...outlook, ...more };
}

const namedNew = repo('named-new', { named: true, synced: false, dueAtMs: 0 });
const unseen = repo('unseen', { named: true, seen: false, synced: false, dueAtMs: 0 });
const named = repo('named', { named: true, active: true });
const fresh = repo('new', { synced: false, dueAtMs: 0 });
const active = repo('active', { active: true });
const resting = repo('resting');
const later = repo('later', { active: true, dueAtMs: nowMs + 5000 });

const everything: Outlook = {
  ...idle,
  verifyAtMs: past,
  deliveriesAtMs: past,
  listAtMs: past,
  repos: [resting, active, fresh, named, namedNew],
};

function without(outlook: Outlook, ...names: string[]): Outlook {
  return { ...outlook, repos: [...outlook.repos].filter(({ repo: name }) => !names.includes(name)) };
}

const held = nowMs + 60_000;

const rows: [string, Outlook, string][] = [
  ['nothing is due', idle, 'wait for ever'],
  ['something is due later', { ...idle, repos: [later] }, 'wait 5000'],
  ['all is due', everything, 'sweep named-new'],
  ['all but a new repository that a trigger names', without(everything, 'named-new'), 'verify'],
  ['nothing to verify', { ...without(everything, 'named-new'), verifyAtMs: never }, 'sweep named'],
  [
    'nothing that a trigger names',
    { ...without(everything, 'named-new', 'named'), verifyAtMs: never },
    'deliveries',
  ],
  ['the first list and new repositories', { ...idle, listed: false, listAtMs: 0, repos: [fresh] }, 'list'],
  ['new and active repositories', { ...idle, repos: [active, fresh] }, 'sweep new'],
  [
    'active repositories and a new list',
    { ...idle, listAtMs: past, repos: [resting, active] },
    'sweep active',
  ],
  ['a new list and resting repositories', { ...idle, listAtMs: past, repos: [resting] }, 'list'],
  ['resting repositories', { ...idle, repos: [resting, later] }, 'sweep resting'],
  [
    'the one that is due for longer',
    { ...idle, repos: [active, repo('older', { active: true, dueAtMs: 1 })] },
    'sweep older',
  ],
  [
    'the one that has begun',
    {
      ...idle,
      repos: [repo('older', { active: true, dueAtMs: 1 }), repo('begun', { active: true, underWay: true })],
    },
    'sweep begun',
  ],
  [
    'one that has begun, and a new one that a trigger names',
    { ...idle, repos: [repo('begun', { active: true, underWay: true }), namedNew] },
    'sweep named-new',
  ],
  ['GitHub wants us away', { ...everything, pausedUntilMs: nowMs + 700 }, 'wait 700'],
  ['the pause is over', { ...everything, pausedUntilMs: nowMs }, 'sweep named-new'],
  [
    'sweeps are held back',
    { ...idle, heldUntilMs: held, repos: [resting, active, named, fresh] },
    'wait 60000',
  ],
  [
    'held back, but a trigger names a new one',
    { ...idle, heldUntilMs: held, repos: [active, namedNew] },
    'sweep named-new',
  ],
  ['held back, but a run is to be verified', { ...everything, heldUntilMs: held, repos: [active] }, 'verify'],
  ['a name that nobody has seen, and anything else', { ...everything, repos: [unseen, resting] }, 'verify'],
  [
    'a name that nobody has seen, and resting repositories',
    { ...idle, repos: [unseen, resting] },
    'sweep resting',
  ],
  ['a name that nobody has seen alone', { ...idle, repos: [unseen] }, 'sweep unseen'],
  ['the same, held back', { ...idle, heldUntilMs: held, repos: [unseen] }, 'sweep unseen'],
  ['the same, with its allowance used up', { ...idle, unseenAtMs: nowMs + 9, repos: [unseen] }, 'wait 9'],
  ['held back, but there is no list yet', { ...idle, heldUntilMs: held, listed: false, listAtMs: 0 }, 'list'],
];

function said(outlook: Outlook): string {
  const work = mostUrgent(outlook);
  if (work.kind === 'wait') return work.untilMs === never ? 'wait for ever' : `wait ${work.untilMs - nowMs}`;
  return work.kind === 'sweep' ? `sweep ${work.repo}` : work.kind;
}

describe('the most urgent work', () => {
  it.each(rows)('%s', (_, outlook, expected) => {
    expect(said(outlook)).toBe(expected);
  });
});
