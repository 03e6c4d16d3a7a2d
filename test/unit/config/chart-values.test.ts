import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { chartKeys, chartValuesOf } from '../../../src/config/chart-values.ts';
import { sources } from '../../../src/sources/index.ts';

const schema = new URL('../../../deploy/helm/backlog-scaler/values.schema.json', import.meta.url);

it('knows the values that the chart has', () => {
  const { properties } = JSON.parse(readFileSync(schema, 'utf8'));
  expect(chartKeys).toEqual(Object.keys(properties));
});

const several = { replicaCount: 3 };
const events = { jobs: { source: 'events' } };
const topics = { jobs: { source: 'sqs', snsTopics: ['arn:aws:sns:eu-central-1:111111111111:a'] } };

it.each([
  [several, {}, undefined],
  [{ replicaCount: 1 }, { connections: events }, undefined],
  [several, { connections: { orders: { source: 'kafka' } } }, undefined],
  [several, { connections: events }, 'connection jobs'],
  [several, { connections: topics }, 'connection jobs'],
  [several, { connections: events, eventLog: { type: 'nats' } }, undefined],
  [several, { eventLog: { type: 'file' } }, 'the event log on a volume'],
  [several, { ingest: { tokens: [{}] } }, 'ingest'],
  [{ ...several, ingest: { enabled: true } }, {}, 'ingest'],
  [{ ...several, autoscaling: { enabled: true, maxReplicas: 1 } }, { connections: events }, undefined],
])('says what needs one pod: %j %j', (values, config, why) => {
  const faults = chartValuesOf({ ...values, config }, sources)?.faults;
  const text = `replicaCount: must be 1 because of ${why}, or set config.eventLog.type: nats`;
  expect(faults).toEqual(why === undefined ? [] : [{ path: ['replicaCount'], text }]);
});

const tls = { enabled: true };
it.each([
  [{}, 'none'],
  [{ enabled: false, clientCaSecret: 'a' }, 'none'],
  [tls, 'server'],
  [{ ...tls, clientCaSecret: 'a' }, 'mutual'],
  [{ ...tls, certManager: { enabled: true } }, 'mutual'],
  [{ ...tls, certManager: { enabled: true, client: { enabled: false } } }, 'server'],
])('knows what TLS the chart sets: %j', (values, expected) => {
  expect(chartValuesOf({ tls: values, config: {} }, sources)?.tls).toBe(expected);
});
