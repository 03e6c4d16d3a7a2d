import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { chart, type Values } from '../chart/helm.ts';
import type { Cluster, Helm } from './use-cluster.ts';

/** A release of the chart. All calls return Helm's output, warnings included, and reject with it if Helm fails. */
export class Release {
  readonly namespace: string;
  private readonly program: string;
  private readonly kubeconfig: string;

  constructor({ helm, kubeconfig }: Cluster, which: Helm, namespace: string) {
    this.program = helm[which];
    this.kubeconfig = kubeconfig;
    this.namespace = namespace;
  }

  /** Installs or upgrades it. */
  apply(values: Values, ...more: string[]): Promise<string> {
    return this.call(['upgrade', '--install', 'wakes', chart, '--values', '-', ...more], stringify(values));
  }

  notes(): Promise<string> {
    return this.call(['get', 'notes', 'wakes']);
  }

  test(): Promise<string> {
    return this.call(['test', 'wakes']);
  }

  rollback(revision: number): Promise<string> {
    return this.call(['rollback', 'wakes', String(revision)]);
  }

  uninstall(): Promise<string> {
    return this.call(['uninstall', 'wakes', '--wait']);
  }

  /** Does not block, because meanwhile this process stands in for the kubelet. */
  private async call(args: readonly string[], input = ''): Promise<string> {
    const where = ['--namespace', this.namespace, '--kubeconfig', this.kubeconfig];
    const child = spawn(this.program, [...args, ...where]);
    child.stdin.end(input);
    const ended = new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
    const [code, out, complaints] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    if (code !== 0) throw new Error(`helm ${args[0]} ended with ${code}: ${complaints}${out}`);
    return out + complaints;
  }
}
