import type { Node } from 'yaml';
import type { Environment } from '../sources/source.ts';
import { type Mapping, mapping, type Values } from './yaml-values.ts';

/** A Secret that pods need to start. */
export interface NeededSecret {
  readonly name: string;
  /** Undefined where all its keys are taken. */
  readonly key: string | undefined;
}

/** What a template says of its pods. */
export interface Pods {
  /** Of each container. */
  readonly environments: readonly Environment[];
  readonly secrets: readonly NeededSecret[];
}

/** What a ScaledObject scales. */
export interface Workload {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly pods: Pods;
}

export const workloadKinds: readonly string[] = ['Deployment', 'StatefulSet'];

export function workloadOf(node: Node, named: Omit<Workload, 'pods'>, values: Values): Workload {
  const template = values.child(values.child(node, 'spec'), 'template');
  return { ...named, pods: podsOf(values.value(template)) };
}

export function podsOf(template: unknown): Pods {
  const { containers, initContainers, volumes } = mapping(mapping(template)?.['spec']) ?? {};
  const own = mappingsIn(containers);
  const fromContainers = [...mappingsIn(initContainers), ...own].flatMap(({ env, envFrom }) => [
    ...mappingsIn(env).map(({ valueFrom }) => mapping(mapping(valueFrom)?.['secretKeyRef'])),
    ...mappingsIn(envFrom).map(({ secretRef }) => mapping(secretRef)),
  ]);
  const fromVolumes = mappingsIn(volumes).map(({ secret }) => {
    const { secretName: name, optional } = mapping(secret) ?? {};
    return { name, optional };
  });
  return {
    environments: own.map(environmentOf),
    secrets: [...fromContainers, ...fromVolumes].flatMap((ref): NeededSecret[] => {
      const { name, key, optional }: Mapping = ref ?? {};
      if (typeof name !== 'string' || optional === true) return [];
      return [{ name, key: typeof key === 'string' ? key : undefined }];
    }),
  };
}

function environmentOf({ env, envFrom }: Mapping): Environment {
  const variables = mappingsIn(env).flatMap(
    ({ name, value = '', valueFrom }): [string, string | undefined][] =>
      typeof name === 'string'
        ? [[name, typeof value === 'string' && valueFrom === undefined ? value : undefined]]
        : [],
  );
  return { variables: Object.fromEntries(variables), isOpen: mappingsIn(envFrom).length > 0 };
}

function mappingsIn(list: unknown): readonly Mapping[] {
  return (Array.isArray(list) ? list : []).map((one) => mapping(one) ?? {});
}
