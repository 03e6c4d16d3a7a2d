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
      doc: 'The name of a configured connection. Optional if the namespace may use only one of this source, or if an endpoint key selects one.',
    }),
    policy: choice({
      doc: 'How the backlog becomes replicas: `backlog` divides it by the threshold; `drain` keeps the wait under `drainSeconds` and ignores the threshold.',
      choices: ['backlog', 'drain'],
      fallback: 'backlog',
    }),
    drainSeconds: optionalDecimal({
      doc: 'How long an item may wait. Required with `policy: drain`, and only used there.',
      least: 1,
      most: 86_400,
    }),
    replicaRate: rateOrLearn(
      'Items a second that one replica processes. Required with `policy: drain`, and only used there. `learn` measures it, for sources that show consumption.',
    ),
    fallbackReplicaRate: optionalDecimal({
      doc: 'The rate until one is learned. Required with `replicaRate: learn`.',
      ...rates,
    }),
    maxStalenessSeconds: optionalDecimal({
      doc: 'How long the last good reading is served while the source cannot be read; then the answer is `UNAVAILABLE`. Default: that of the source below, or `limits.maxStalenessSeconds` of the configuration. Refused if the connection is not read often enough for it.',
      least: 1,
      most: 86_400,
    }),
    surge: flag({
      doc: 'Makes the HPA look at once when the backlog grows. Works with `external-push`, KEDA 2.21 and Kubernetes 1.37.',
      fallback: true,
    }),
    headroomReplicas: decimal({
      doc: 'Replicas beyond what the backlog needs while the trigger is active. For ScaledObjects with the `metricType` `AverageValue`.',
      fallback: 0,
      least: 0,
      most: 1_000,
    }),
    headroomWhenIdle: flag({
      doc: 'Keeps these replicas without a backlog, too: the trigger is then always active, and the workload never at zero.',
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
