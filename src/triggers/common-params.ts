import {
  choice,
  decimal,
  flag,
  optionalDecimal,
  type Param,
  ParamFault,
  type ParamsSchema,
  required,
  text,
} from '../params/schema.ts';
import { quote } from '../printable.ts';
import type { DrainPolicy } from '../scaling/drain.ts';

/** Of one replica: from an item in a day and a half to more than any can. */
const rates = { least: 0.00001, most: 1_000_000_000 } as const;

function rateOrLearn(doc: string): Param<number | 'learn' | undefined> {
  const number = optionalDecimal({ doc, ...rates });
  return {
    ...number,
    type: 'number \\| learn',
    parse: (value) => {
      if (value === 'learn') return value;
      try {
        return number.parse(value);
      } catch {
        throw new ParamFault(
          `must be learn, or a number of at least ${rates.least} and of at most ${rates.most}, got ${quote(value)}`,
        );
      }
    },
  };
}

/** The keys every trigger may have, whatever its source. */
export interface CommonParams {
  source: string;
  connection: string;
  policy: 'backlog' | 'drain';
  drainSeconds: number | undefined;
  replicaRate: number | 'learn' | undefined;
  fallbackReplicaRate: number | undefined;
  maxStalenessSeconds: number | undefined;
  surge: boolean;
  headroomReplicas: number;
  headroomWhenIdle: boolean;
}

export const commonParams: ParamsSchema<CommonParams> = {
  table: {
    source: required(text({ doc: 'The kind of backlog.' })),
    connection: text({
      doc: 'The configured connection to read through. May be left out where exactly one connection of the source is allowed to the namespace, or where an endpoint key names one.',
    }),
    policy: choice({
      doc: 'How the backlog becomes replicas: `backlog` divides it by the threshold; `drain` asks for as many as keep the wait under `drainSeconds`, and looks at no threshold.',
      choices: ['backlog', 'drain'],
      fallback: 'backlog',
    }),
    drainSeconds: optionalDecimal({
      doc: 'How long an item may wait; for `policy: drain`, which needs it.',
      least: 1,
      most: 86_400,
    }),
    replicaRate: rateOrLearn(
      'How many items a second one replica works off; for `policy: drain`, which needs it. `learn` measures it, where the source shows what consumers do.',
    ),
    fallbackReplicaRate: optionalDecimal({
      doc: 'The rate until it has been learned; needed with `replicaRate: learn`.',
      ...rates,
    }),
    maxStalenessSeconds: optionalDecimal({
      doc: 'How long the last good reading is served while the source cannot be read; after that the answer is UNAVAILABLE. Left out: what the source says below, or else `limits.maxStalenessSeconds` of the configuration. Refused where the connection is not read often enough for it.',
      least: 1,
      most: 86_400,
    }),
    surge: flag({
      doc: 'Whether the HPA is made to look at once when the backlog grows, by a target that is a thousandth more for a moment. Only with `external-push`, KEDA 2.21 and Kubernetes 1.37.',
      fallback: true,
    }),
    headroomReplicas: decimal({
      doc: 'How many replicas more than the backlog asks for, while the trigger is active. For a ScaledObject whose `metricType` is `AverageValue`.',
      fallback: 0,
      least: 0,
      most: 1_000,
    }),
    headroomWhenIdle: flag({
      doc: 'Whether these replicas are there before the first item too: then the trigger is always active, and the workload never at zero.',
    }),
  },
  rules: [
    ({ headroomReplicas, headroomWhenIdle }) =>
      headroomWhenIdle && headroomReplicas === 0 ? 'headroomWhenIdle: needs headroomReplicas' : undefined,
    ({ policy, drainSeconds }) =>
      policy === 'drain' && drainSeconds === undefined
        ? 'policy: drain needs drainSeconds, how long an item may wait'
        : undefined,
    ({ policy, replicaRate }) =>
      policy === 'drain' && replicaRate === undefined
        ? 'policy: drain needs replicaRate, the items a second of one replica, or learn'
        : undefined,
    (params) => needsDrain(params, 'drainSeconds'),
    (params) => needsDrain(params, 'replicaRate'),
    (params) => needsDrain(params, 'fallbackReplicaRate'),
    ({ replicaRate, fallbackReplicaRate }) =>
      replicaRate === 'learn' && fallbackReplicaRate === undefined
        ? 'replicaRate: learn needs fallbackReplicaRate, the rate until it has been learned'
        : undefined,
    ({ policy, replicaRate, fallbackReplicaRate }) =>
      policy === 'drain' && fallbackReplicaRate !== undefined && typeof replicaRate === 'number'
        ? 'fallbackReplicaRate: is for replicaRate: learn; take one of the two numbers away'
        : undefined,
  ],
};

function needsDrain(
  params: CommonParams,
  key: 'drainSeconds' | 'replicaRate' | 'fallbackReplicaRate',
): string | undefined {
  return params.policy !== 'drain' && params[key] !== undefined ? `${key}: needs policy: drain` : undefined;
}

/** How `policy: drain` comes to replicas; undefined under any other. */
export function drainPolicyOf(params: CommonParams): DrainPolicy | undefined {
  const { policy, drainSeconds, replicaRate, fallbackReplicaRate } = params;
  if (policy !== 'drain' || drainSeconds === undefined) return undefined;
  const learn = replicaRate === 'learn';
  const rate = learn ? fallbackReplicaRate : replicaRate;
  return rate === undefined ? undefined : { drainSeconds, replicaRate: rate, learn };
}

/** What KEDA reads itself and passes on all the same (pkg/scalers/external_scaler.go:41, v2.21). */
export const kedaOwnKeys: readonly string[] = [
  'scalerAddress',
  'enableTLS',
  'unsafeSsl',
  'caCert',
  'tlsClientCert',
  'tlsClientKey',
];

/** Of KEDA's own keys the secret ones. Under `metadata` they configure nothing, and are sent all the same. */
export const kedaSecretKeys: readonly string[] = ['tlsClientKey'];
