import { at } from '../chart/helm.ts';
import type { Api } from './api.ts';

interface Change {
  /** On the clock of `performance.now`. */
  readonly atMs: number;
  readonly replicas: number;
}

/** The replicas of a namespace's Deployments at each change, by any client. */
export class Replicas {
  readonly stop: () => void;
  private readonly changes = new Map<string, Change[]>();

  constructor(api: Api, namespace: string) {
    this.stop = api.watch(`/apis/apps/v1/namespaces/${namespace}/deployments`, (deployment) => {
      const name = String(at(deployment, 'metadata', 'name'));
      const replicas = Number(at(deployment, 'spec', 'replicas'));
      const all = this.of(name);
      if (all.at(-1)?.replicas !== replicas) all.push({ atMs: performance.now(), replicas });
      this.changes.set(name, all);
    });
  }

  /** All changes so far, in order. */
  of(name: string): Change[] {
    return this.changes.get(name) ?? [];
  }

  last(name: string): number | undefined {
    return this.of(name).at(-1)?.replicas;
  }

  /** When the number first reached this size, among the changes after the first `seen` ones. */
  reachedAfter(name: string, least: number, seen: number): number | undefined {
    return this.of(name)
      .slice(seen)
      .find(({ replicas }) => replicas >= least)?.atMs;
  }
}
