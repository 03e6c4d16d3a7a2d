import { at } from '../chart/helm.ts';
import type { Api } from './api.ts';

interface Change {
  /** On the clock of `performance.now`. */
  readonly atMs: number;
  readonly replicas: number;
}

/** What is set as the number of replicas of the Deployments of a namespace, by whom ever, at each change. */
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

  /** All there was to see, in turn. */
  of(name: string): Change[] {
    return this.changes.get(name) ?? [];
  }

  last(name: string): number | undefined {
    return this.of(name).at(-1)?.replicas;
  }

  /** When the number was first as large, or larger, of what is there to see after the first `seen` changes. */
  reachedAfter(name: string, least: number, seen: number): number | undefined {
    return this.of(name)
      .slice(seen)
      .find(({ replicas }) => replicas >= least)?.atMs;
  }
}
