import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, type Manifest } from '../chart/helm.ts';
import type { Api } from './api.ts';
import { startContainer } from './container.ts';
import { type PodState, podStatus } from './pod-status.ts';
import { probe } from './probe.ts';
import type { Program } from './program.ts';

const lookMs = 200;

/**
 * Stands in for scheduler and kubelet. A pod of the scaler's image becomes a process on this machine, ready when its
 * own probe says so; any other pod is said to run.
 */
export class Kubelet {
  private readonly api: Api;
  private readonly node: string;
  private readonly directory: string;
  private readonly processes = new Map<string, Program>();
  private readonly told = new Map<string, string>();
  private readonly loop: Promise<void>;
  private stopped = false;

  constructor(own: { api: Api; node: string; directory: string }) {
    this.api = own.api;
    this.node = own.node;
    this.directory = own.directory;
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.loop;
    for (const one of this.processes.values()) await one.stop();
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      try {
        const pods = at(await this.api.get('/api/v1/pods'), 'items');
        if (Array.isArray(pods)) await Promise.all(pods.map((pod: Manifest) => this.tend(pod)));
      } catch (error) {
        console.warn('kubelet:', error instanceof Error ? error.message : error);
      }
      await sleep(lookMs);
    }
  }

  private async tend(pod: Manifest): Promise<void> {
    const meta = (key: string) => String(at(pod, 'metadata', key));
    const path = `/api/v1/namespaces/${meta('namespace')}/pods/${meta('name')}`;
    try {
      if (at(pod, 'metadata', 'deletionTimestamp') !== undefined) {
        await this.processes.get(meta('uid'))?.stop();
        this.processes.delete(meta('uid'));
        await this.api.delete(`${path}?gracePeriodSeconds=0`);
      } else if (at(pod, 'spec', 'nodeName') === undefined) {
        const target = { apiVersion: 'v1', kind: 'Node', name: 'here' };
        await this.api.create(`${path}/binding`, { metadata: { name: meta('name') }, target });
      } else await this.tell(path, pod, await this.look(pod, meta('uid')));
    } catch (error) {
      if (!String(error).includes('404')) console.warn('kubelet:', String(error));
    }
  }

  private async look(pod: Manifest, uid: string): Promise<PodState> {
    if (!String(at(pod, 'spec', 'containers', 0, 'image')).includes('backlog-scaler'))
      return { phase: 'Running', ready: true };
    const restarts = at(pod, 'spec', 'restartPolicy') === 'Always';
    let process = this.processes.get(uid);
    if (process === undefined || (restarts && !process.running)) {
      await process?.stop();
      const root = join(this.directory, uid);
      await mkdir(root, { recursive: true });
      process = await startContainer(pod, { api: this.api, node: this.node, root });
      this.processes.set(uid, process);
    }
    if (process.running) return { phase: 'Running', ready: await probe(pod) };
    if (restarts) return { phase: 'Running', ready: false };
    return { phase: (await process.exited) === 0 ? 'Succeeded' : 'Failed', ready: false };
  }

  private async tell(path: string, pod: Manifest, state: PodState): Promise<void> {
    const uid = String(at(pod, 'metadata', 'uid'));
    const text = JSON.stringify(state);
    if (this.told.get(uid) === text) return;
    await this.api.merge(`${path}/status`, { status: podStatus(pod, state) });
    this.told.set(uid, text);
  }
}
