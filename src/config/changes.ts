import { isDeepStrictEqual } from 'node:util';
import { pathText } from './faults.ts';
import type { LoadedConfig } from './load.ts';
import type { Settings } from './schema.ts';
import { isMapping } from './tree.ts';

/** What a new configuration changes, by key. */
export interface Changes {
  /** Settings that are taken while running. */
  applied: string[];
  /** Settings that are only read at start. */
  needRestart: string[];
}

/** Listening sockets stay where they are, and events where they are kept. */
const restartKeys = [
  'grpc',
  ...['admin', 'ingest'].flatMap((server) => [
    `${server}.host`,
    `${server}.port`,
    `${server}.maxConnections`,
  ]),
  'eventLog',
];

export function changesBetween(before: LoadedConfig, after: LoadedConfig): Changes {
  const changed = [...changedSettings(before.settings, after.settings), ...changedConnections(before, after)];
  const needsRestart = (key: string) => restartKeys.some((one) => key === one || key.startsWith(`${one}.`));
  return {
    applied: changed.filter((key) => !needsRestart(key)),
    needRestart: changed.filter(needsRestart),
  };
}

/** The keys of all leaves that differ. */
function changedSettings(before: Settings, after: Settings): string[] {
  const differing = (a: unknown, b: unknown, at: readonly string[]): string[] => {
    if (isDeepStrictEqual(a, b)) return [];
    if (!isMapping(a) || !isMapping(b)) return [pathText(at)];
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].flatMap((key) => differing(a[key], b[key], [...at, key]));
  };
  return differing(before, after, []);
}

/** Connections are compared by their fingerprints, which hold no secret. */
function changedConnections(before: LoadedConfig, after: LoadedConfig): string[] {
  const names = new Set([...before.connections.keys(), ...after.connections.keys()]);
  return [...names]
    .filter((name) => before.connections.get(name)?.fingerprint !== after.connections.get(name)?.fingerprint)
    .map((name) => `connections.${name}`);
}
