import type { Node } from 'yaml';
import { type Mapping, mapping, type Values } from './yaml-values.ts';

/** Of a container: the variables that have plain values. */
export type Environment = Readonly<Record<string, string>>;

/** What a ScaledObject scales. */
export interface Workload {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Of each container. */
  readonly environments: readonly Environment[];
}

export const workloadKinds: readonly string[] = ['Deployment', 'StatefulSet'];

export function workloadOf(node: Node, named: Omit<Workload, 'environments'>, values: Values): Workload {
  const template = values.child(values.child(node, 'spec'), 'template');
  return { ...named, environments: environmentsOf(values.value(template)) };
}

/** Of each container of a pod template. */
export function environmentsOf(template: unknown): readonly Environment[] {
  const { containers } = mapping(mapping(template)?.['spec']) ?? {};
  return mappingsIn(containers).map(({ env }) => {
    const plain = mappingsIn(env).flatMap(({ name, value }): [string, string][] =>
      typeof name === 'string' && typeof value === 'string' ? [[name, value]] : [],
    );
    return Object.fromEntries(plain);
  });
}

function mappingsIn(list: unknown): readonly Mapping[] {
  return (Array.isArray(list) ? list : []).map((one) => mapping(one) ?? {});
}
