import { quote } from '../printable.ts';
import type { AnySource } from '../sources/source.ts';
import type { Secret, TriggerAuthentication } from './read.ts';
import type { TriggerEntry } from './scaled-resource.ts';
import { mapping } from './yaml-values.ts';

/** A parameter of a scaler, and where it comes from. */
export interface Login {
  readonly parameter: string;
  readonly from: string;
  /** Undefined if it comes from somewhere else. */
  readonly secret?: { readonly namespace: string; readonly name: string; readonly key: string };
  /** Read of a Secret in the given files, if the parameter is not a secret. */
  readonly value?: string | undefined;
  /** Of `podIdentity`: the role that it assumes. */
  readonly roleArn?: string;
}

export interface Placed {
  readonly source: AnySource;
  readonly entry: TriggerEntry;
  readonly namespace: string;
}

/** What a trigger's `authenticationRef` means in a namespace. */
export function authenticationOf(
  { ref, namespace }: { ref: TriggerEntry['authenticationRef']; namespace: string },
  authentications: readonly TriggerAuthentication[],
): TriggerAuthentication | undefined {
  return authentications.find(
    (one) =>
      one.kind === ref?.kind &&
      one.name === ref.name &&
      (one.kind === 'ClusterTriggerAuthentication' || (one.namespace || namespace) === namespace),
  );
}

/** The parameters that it gives KEDA; undefined where a store outside Kubernetes decides. */
export function parametersOf(authentication: TriggerAuthentication): ReadonlySet<string> | undefined {
  const isElsewhere = Object.keys(authentication.spec).some((key) => !ownKeys.includes(key));
  return isElsewhere ? undefined : new Set(loginsOf(authentication).map(({ parameter }) => parameter));
}

const ownKeys = ['secretTargetRef', 'env', 'podIdentity'];

/** Parameters that are no secrets, wherever they are kept. */
export const openParameters: readonly string[] = ['sasl', 'tls', 'username'];

/** Names of Secrets and their keys; where the values come from somewhere else, that. */
export function loginsOf(
  { kind, spec, namespace }: TriggerAuthentication,
  usedIn = '',
  secrets: readonly Secret[] = [],
): readonly Login[] {
  const isCluster = kind === 'ClusterTriggerAuthentication';
  const place = isCluster ? 'keda' : namespace || usedIn;
  const fromSecrets = list(spec['secretTargetRef']).map((ref): Login => {
    const [parameter, name, key] = [String(ref['parameter']), String(ref['name']), String(ref['key'])];
    const found = secrets.find(
      (one) => one.name === name && (isCluster || (one.namespace || place) === place),
    );
    return {
      parameter,
      from: `key ${quote(key)} of Secret ${name}`,
      secret: { namespace: place, name, key },
      value: openParameters.includes(parameter) ? found?.valueAt(key) : undefined,
    };
  });
  const variables = list(spec['env']).map(
    ({ parameter, name }): Login => ({
      parameter: String(parameter),
      from: `variable ${String(name)} of the workload`,
    }),
  );
  const pod = identityOf(spec);
  const identity: readonly Login[] =
    pod === undefined
      ? []
      : [
          {
            parameter: 'podIdentity',
            from: textOfIdentity(pod),
            ...(pod.roleArn === undefined ? {} : { roleArn: pod.roleArn }),
          },
        ];
  const elsewhere = Object.keys(spec)
    .filter((key) => !ownKeys.includes(key))
    .map((key) => ({ parameter: key, from: 'what is configured there' }));
  return [...fromSecrets, ...variables, ...identity, ...elsewhere];
}

interface Identity {
  readonly provider: string;
  readonly roleArn: string | undefined;
  readonly identityOwner: string | undefined;
}

export function identityOf(spec: TriggerAuthentication['spec']): Identity | undefined {
  const pod = mapping(spec['podIdentity']);
  const text = (key: string): string | undefined => {
    const value = pod?.[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const provider = text('provider');
  if (provider === undefined || provider === 'none') return undefined;
  return { provider, roleArn: text('roleArn'), identityOwner: text('identityOwner') };
}

export function textOfIdentity({ provider, roleArn, identityOwner }: Identity): string {
  const more = [
    ...(roleArn === undefined ? [] : [`roleArn ${quote(roleArn)}`]),
    ...(identityOwner === undefined ? [] : [`identityOwner ${quote(identityOwner)}`]),
  ];
  return [`podIdentity ${quote(provider)}`, ...more].join(', ');
}

function list(value: unknown): Readonly<Record<string, unknown>>[] {
  return (Array.isArray(value) ? value : []).map((one) => mapping(one) ?? {});
}
