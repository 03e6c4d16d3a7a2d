import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments, stringify } from 'yaml';
import { isMapping } from '../../src/config/document.ts';
import { kubernetesModules } from '../support/kubernetes-modules.ts';

export const chart = fileURLToPath(new URL('../../deploy/helm/backlog-scaler', import.meta.url));

export type Values = Record<string, unknown>;
export type Manifest = Record<string, unknown>;

/** A Helm built from its module lacks the version of its client, and assumes clusters of 1.20. */
export const kubeVersion = ['--kube-version', kubernetesModules.kubernetes.version];

export interface Ended {
  ok: boolean;
  output: string;
}

export function run(program: string, args: readonly string[], input = ''): Ended {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    input,
    cwd: chart,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  return { ok: status === 0, output: status === 0 ? stdout : stdout + stderr };
}

/** Helm's output as text, or its refusal. */
export function render(helm: string, values: Values = {}, more: readonly string[] = []): Ended {
  const args = [
    'template',
    'wakes',
    chart,
    '--namespace',
    'scalers',
    ...kubeVersion,
    '--values',
    '-',
    ...more,
  ];
  return run(helm, args, stringify(values));
}

export function lint(helm: string, values: Values): Ended {
  return run(helm, ['lint', '--strict', ...kubeVersion, '--values', '-', chart], stringify(values));
}

export function manifests(helm: string, values: Values = {}): Manifest[] {
  const { ok, output } = render(helm, values);
  if (!ok) throw new Error(output);
  return parseManifests(output);
}

export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    const value: unknown = document.toJS();
    return isMapping(value) ? [value] : [];
  });
}

/** The only manifest of this kind and, if given, this name. */
export function manifest(all: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = all.filter(
    (one) => one['kind'] === kind && (name === undefined || at(one, 'metadata', 'name') === name),
  );
  const [only] = found;
  if (only === undefined || found.length > 1)
    throw new Error(`there are ${found.length} of ${kind} ${name ?? ''}`);
  return only;
}

export function at(node: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, part) => {
    if (Array.isArray(value) && typeof part === 'number') return value[part];
    return isMapping(value) ? value[part] : undefined;
  }, node);
}
