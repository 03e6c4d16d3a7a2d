import {
  choice,
  decimal,
  flag,
  optionalDecimal,
  type ParamsSchema,
  required,
  text,
} from '../params/schema.ts';

/** The keys every trigger may have, whatever its source. */
export interface CommonParams {
  source: string;
  connection: string;
  policy: 'backlog';
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
      doc: 'How the backlog becomes replicas: `backlog` divides it by the threshold.',
      choices: ['backlog'],
      fallback: 'backlog',
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
  ],
};

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
