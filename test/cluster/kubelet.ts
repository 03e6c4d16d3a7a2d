import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, type Manifest } from '../chart/helm.ts';
import type { Api } from './api.ts';
import { startContainer } from './container.ts';
import type { PodHosts } from './pod-hosts.ts';
import { type PodState, podStatus } from './pod-status.ts';
import { probe } from './probe.ts';
import type { Program } from './program.ts';

const lookMs = 200;
const pods = '/api/v1/pods?fieldSelector=spec.schedulerName%3Ddefault-scheduler';

/**
 * Stands in for scheduler and kubelet. A pod with the scaler's image becomes a process on this machine, ready by its own
 * probe. Any other pod only gets the status of a running one. Pods with a scheduler of their own wait for it.
 */
export class Kubelet {
  private readonly api: Api;
  private readonly node: string;
  private readonly directory: string;
  private readonly hosts: PodHosts | undefined;
  /** By the pods' UIDs. */
  private readonly processes = new Map<string, { readonly namespace: string; readonly process: Program }>();
  private readonly told = new Map<string, string>();
  private readonly loop: Promise<void>;
  private stopped = false;

  /** With `hosts` each pod has its own address. Otherwise all have 127.0.0.1. */
  constructor(own: { api: Api; node: string; directory: string; hosts?: PodHosts }) {
    this.api = own.api;
    this.node = own.node;
    this.directory = own.directory;
    this.hosts = own.hosts;
    this.loop = this.run();
  }

  /** The logs of the scaler's pods in a namespace so far. */
  log(namespace: string): string {
    const inThere = [...this.processes.values()].filter((one) => one.namespace === namespace);
    return inThere.map(({ process }) => process.log()).join('');
  }

  /** Ends the process of the pod at an address, like a dying node. It is started again, like a container. */
  async kill(address: string): Promise<void> {
    const uid = this.hosts?.uidAt(address);
    await this.processes.get(uid ?? '')?.process.kill();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.loop;
    for (const { process } of this.processes.values()) await process.stop();
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      try {
        const found = at(await this.api.get(pods), 'items');
        if (Array.isArray(found)) await Promise.all(found.map((pod: Manifest) => this.tend(pod)));
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
        await this.hosts?.set(meta('uid'), false);
        await this.processes.get(meta('uid'))?.process.stop();
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
    const address = this.hosts?.addressOf(uid) ?? '127.0.0.1';
    let process = this.processes.get(uid)?.process;
    if (process === undefined || (restarts && !process.running)) {
      await process?.stop();
      const root = join(this.directory, uid);
      await mkdir(root, { recursive: true });
      process = await startContainer(pod, { api: this.api, node: this.node, root, address });
      this.processes.set(uid, { namespace: String(at(pod, 'metadata', 'namespace')), process });
    }
    const ready = process.running && (await probe(pod, address));
    await this.hosts?.set(uid, ready);
    if (process.running) return { phase: 'Running', ready };
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
