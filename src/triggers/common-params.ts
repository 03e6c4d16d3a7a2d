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
      doc: 'Needed unless the namespace may use only one of this source, or an endpoint key selects it.',
    }),
    policy: choice({
      doc: '`backlog` divides by the threshold. `drain` [keeps the wait under `drainSeconds`](scaling.md#replicas-by-the-wait-you-want).',
      choices: ['backlog', 'drain'],
      fallback: 'backlog',
    }),
    drainSeconds: optionalDecimal({
      doc: 'How long an item may wait. With `policy: drain`, as the next two.',
      least: 1,
      most: 86_400,
    }),
    replicaRate: rateOrLearn('Items a second of one replica. `learn` measures it where the source can.'),
    fallbackReplicaRate: optionalDecimal({
      doc: 'The rate until one is learned.',
      ...rates,
    }),
    maxStalenessSeconds: optionalDecimal({
      doc: 'How old the last good reading may be; then KEDA gets `UNAVAILABLE`. Default: the source’s, or that of `limits`. Refused if the connection is read less often.',
      least: 1,
      most: 86_400,
    }),
    surge: flag({
      doc: 'Makes the HPA [look at once](scaling.md#what-you-need) when the backlog grows.',
      fallback: true,
    }),
    headroomReplicas: decimal({
      doc: 'Replicas beyond the need while active. Only in ScaledObjects with `metricType: AverageValue`.',
      fallback: 0,
      least: 0,
      most: 1_000,
    }),
    headroomWhenIdle: flag({
      doc: 'Keeps them without a backlog, too: never at zero.',
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
