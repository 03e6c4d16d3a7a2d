import { didYouMean } from '../params/suggest.ts';
import { exampleIn } from '../placeholders.ts';
import { quote } from '../printable.ts';
import type { AnySource } from '../sources/source.ts';
import { commonParams, kedaOwnKeys, kedaSecretKeys } from '../triggers/common-params.ts';
import { error, isTrue, type Rule, warning } from './mistakes.ts';
import type { TriggerEntry } from './scaled-resource.ts';

const fields: readonly string[] = [
  'type',
  'name',
  'useCachedMetrics',
  'metadata',
  'authenticationRef',
  'metricType',
];

/** Of the triggers that ask this scaler, each by itself or compared with the others. */
export const triggerMistakes: readonly Rule[] = [
  function* fieldsOfTriggers(_, ours) {
    for (const { index, entry, source } of ours) {
      for (const key of entry.keys.filter((one) => !fields.includes(one))) {
        const isParameter = source !== undefined && Object.hasOwn(source.params.table, key);
        const help =
          isParameter || kedaOwnKeys.includes(key) ? ': it belongs below metadata' : didYouMean(key, fields);
        yield error(
          entry.lineOf(key),
          `${quote(key)}: unknown field beside type, which has no effect${help}`,
          index,
        );
      }
      for (const key of ['metricType', 'useCachedMetrics', 'authenticationRef', 'name']) {
        if (entry.metadata[key] === undefined) continue;
        yield error(
          entry.lineOf(key),
          `${key}: belongs beside type, not below metadata, where it has no effect`,
          index,
        );
      }
    }
  },

  function* push({ kind }, ours) {
    for (const { index, entry } of ours) {
      const line = entry.lineOf('type');
      if (kind === 'ScaledJob' && entry.type === 'external-push') {
        const message = 'type: a push creates no Job: use external, and a short pollingInterval';
        yield warning(line, message, index);
      }
      if (kind === 'ScaledObject' && entry.type === 'external') {
        const message = 'type: external is only polled, never woken: use external-push';
        yield warning(line, message, index);
      }
      if (entry.useCachedMetrics === true && entry.type === 'external-push') {
        const message =
          'useCachedMetrics: after a push the HPA gets the zero of the last poll until the next poll: remove it';
        yield warning(entry.lineOf('useCachedMetrics'), message, index);
      }
      if (kind === 'ScaledJob' && entry.useCachedMetrics !== undefined) {
        yield warning(
          entry.lineOf('useCachedMetrics'),
          'useCachedMetrics: has no effect in a ScaledJob',
          index,
        );
      }
      if (kind === 'ScaledJob' && Number(entry.metadata['headroomReplicas'] ?? 0) > 0) {
        const message =
          'headroomReplicas: creates Jobs that find no work: remove it, or use minReplicaCount of the ScaledJob';
        yield warning(entry.lineOf('headroomReplicas'), message, index);
      }
    }
  },

  function* metricTypes({ kind }, ours) {
    for (const { index, entry } of ours) {
      const line = entry.lineOf('metricType');
      const { metricType } = entry;
      if (metricType === 'Utilization') {
        yield error(
          line,
          'metricType: KEDA refuses Utilization for an external trigger: use AverageValue',
          index,
        );
      } else if (metricType !== 'AverageValue' && metricType !== 'Value') {
        const near = didYouMean(metricType, ['AverageValue', 'Value']);
        yield error(
          line,
          `metricType: must be AverageValue or Value, got ${quote(metricType)}${near}`,
          index,
        );
      } else if (metricType === 'Value' && kind === 'ScaledJob') {
        yield error(line, 'metricType: with Value a ScaledJob creates no Job: use AverageValue', index);
      } else if (metricType === 'Value') {
        const message =
          'metricType: Value multiplies the ready replicas by backlog / threshold, so they grow without end while a backlog lasts: use AverageValue';
        yield warning(line, message, index);
        if (Number(entry.metadata['headroomReplicas'] ?? 0) > 0) {
          yield warning(
            entry.lineOf('headroomReplicas'),
            'headroomReplicas: needs metricType AverageValue',
            index,
          );
        }
      }
    }
  },

  function* address(_, ours) {
    for (const { index, entry } of ours) {
      const { metadata } = entry;
      const given = metadata['scalerAddress']?.trim() ?? '';
      if (given === '') {
        const fromEnv =
          metadata['scalerAddressFromEnv'] === undefined ? '' : '; KEDA takes none from the environment';
        yield error(
          entry.line,
          `scalerAddress: is missing${fromEnv}: backlog-scaler.keda:6000 or the like`,
          index,
        );
      } else if (/^https?:\/\//.test(given)) {
        const message = `scalerAddress: must be host:port without http://, got ${quote(given)}: gRPC takes no URL`;
        yield error(entry.lineOf('scalerAddress'), message, index);
      } else if (!/:\d+$/.test(given)) {
        const message = `scalerAddress: must be host:port, got ${quote(given)}: KEDA would call port 443`;
        yield error(entry.lineOf('scalerAddress'), message, index);
      }
      const tls = isTrue(metadata['enableTLS']);
      if (isTrue(metadata['unsafeSsl']) && !tls && entry.authenticationRef === undefined) {
        const message =
          'unsafeSsl: does not enable TLS, so gRPC is plaintext: set enableTLS too, or remove it';
        yield warning(entry.lineOf('unsafeSsl'), message, index);
      }
      for (const key of ['caCert', 'tlsClientCert', 'tlsClientKey']) {
        if (metadata[key] === undefined) continue;
        const message = `${key}: has no effect below metadata: KEDA takes it from a TriggerAuthentication`;
        yield warning(entry.lineOf(key), message, index);
      }
    }
  },

  function* secrets(_, ours) {
    for (const { index, entry, source } of ours) {
      const keys = Object.entries(source?.connectionKeys ?? {}).filter(([, { secret }]) => secret);
      for (const key of [...kedaSecretKeys, ...keys.map(([key]) => key)]) {
        if ((entry.metadata[key] ?? '').trim() !== '') {
          const message = `${key}: is a secret in plain text, and has no effect: remove it and rotate the secret; credentials belong to the connection`;
          yield error(entry.lineOf(key), message, index);
        }
        const fromEnv = `${key}FromEnv`;
        if ((entry.metadata[fromEnv] ?? '').trim() !== '') {
          const message = `${fromEnv}: makes KEDA send the secret to the scaler, which refuses it without TLS: remove it; credentials belong to the connection`;
          yield warning(entry.lineOf(fromEnv), message, index);
        }
      }
    }
  },

  function* examples(_, ours) {
    for (const { index, entry } of ours) {
      for (const [key, value] of Object.entries(entry.metadata)) {
        const why = exampleIn(value);
        if (why !== undefined) yield warning(entry.lineOf(key), `${key}: ${why}`, index);
      }
    }
  },

  function* units(_, ours) {
    for (const { index, entry, source } of ours) {
      for (const [key, value] of Object.entries(entry.metadata)) {
        if (source?.params.table === undefined || !isNumber(source, key)) continue;
        const unit = /^\s*\d+(?:\.\d+)?\s*(ms|[smhdkKMG]i?|%)\s*$/.exec(value)?.[1];
        if (unit === undefined) continue;
        const per = key === 'persistentLagSeconds' ? 'seconds' : 'items, such as records, messages or jobs';
        yield error(
          entry.lineOf(key),
          `${key}: is a number of ${per}, and has no unit such as ${quote(unit)}`,
          index,
        );
      }
    }
  },

  function* sameMeasure(_, ours) {
    const first = new Map<string, number>();
    for (const { index, entry, source } of ours) {
      if (source === undefined) continue;
      const key = measureOf(entry, source);
      const other = first.get(key);
      if (other === undefined) first.set(key, index);
      else {
        const message = `measures the same as triggers[${other}]: the HPA takes the larger number, so only the smaller threshold counts; keep one`;
        yield warning(entry.line, message, index);
      }
    }
  },

  function* names({ triggers }) {
    const seen = new Map<string, number>();
    for (const [index, entry] of triggers.entries()) {
      if (entry.name === undefined) continue;
      const first = seen.get(entry.name);
      if (first === undefined) seen.set(entry.name, index);
      else
        yield error(
          entry.lineOf('name'),
          `name: triggers[${first}] has the name ${quote(entry.name)}, too: KEDA refuses it`,
          index,
        );
    }
  },
];

function isNumber({ params }: AnySource, key: string): boolean {
  const table: Readonly<Record<string, { readonly type: string }>> = params.table;
  return Object.hasOwn(table, key) && table[key]?.type === 'number';
}

/** What a trigger measures, without thresholds and call settings. */
function measureOf({ metadata }: TriggerEntry, source: AnySource): string {
  const entries = Object.entries(metadata).filter(
    ([key]) =>
      !isNumber(source, key) &&
      !kedaOwnKeys.includes(key) &&
      (key === 'connection' || !Object.hasOwn(commonParams.table, key)),
  );
  return JSON.stringify([source.kind, entries.toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}
