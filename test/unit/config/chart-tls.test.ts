import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { tlsSchema } from '../../../src/config/chart-tls.ts';
import { chartValuesOf } from '../../../src/config/chart-values.ts';
import { isMapping } from '../../../src/config/document.ts';
import { sources } from '../../../src/sources/index.ts';
import { chartFaults } from '../../support/chart-values.ts';

/** What a schema says, without which keys are there by default and which may be null. */
function shape(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(shape);
  if (!isMapping(node)) return node;
  const { $schema: _, required: __, anyOf, ...rest } = node;
  if (Array.isArray(anyOf)) return shape(anyOf.find((one) => isMapping(one) && one['type'] !== 'null'));
  if (Array.isArray(rest['type']))
    return shape({ ...rest, type: rest['type'].find((one) => one !== 'null') });
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, shape(value)]));
}

it('has the schema of the chart', () => {
  const file = new URL('../../../deploy/helm/backlog-scaler/values.schema.json', import.meta.url);
  const { properties } = JSON.parse(readFileSync(file, 'utf8'));
  expect(shape(z.toJSONSchema(tlsSchema))).toEqual(shape(properties.tls));
});

const read = (tls: unknown) => chartValuesOf({ config: {}, tls }, sources);
const own = { enabled: true, existingSecret: 'server' };
const certManager = { enabled: true, issuerRef: { name: 'internal' } };

it.each([
  [{ ...own, existingSecrt: 'a' }, 'tls.existingSecrt: unknown key (did you mean "existingSecret"?)'],
  [{ ...own, enabled: 'yes' }, 'tls.enabled: must be true or false'],
  [{ ...own, enabled: null }, 'tls.enabled: must be true or false'],
  [{ ...own, allowedClientNames: 'keda' }, 'tls.allowedClientNames: must be a list'],
  [
    { ...own, certManager: { issurRef: {} } },
    'tls.certManager.issurRef: unknown key (did you mean "issuerRef"?)',
  ],
  [{ ...own, certManager: { duration: '90d' } }, 'tls.certManager.duration: must be a duration such as 720h'],
  [null, 'tls: must be a mapping of keys to values'],
])('refuses what the schema of the chart refuses: %j', (tls, text) => {
  expect(chartFaults({ tls })).not.toEqual([]);
  expect(read(tls)?.faults.map((one) => one.text)).toEqual([text]);
});

it.each([
  [{ enabled: true }, 'existingSecret: is required: name a Secret with tls.crt and tls.key, or set'],
  [{ enabled: true, existingSecret: '', clientCaSecret: 'a' }, 'existingSecret: is required'],
  [
    { enabled: true, certManager: { enabled: true } },
    'certManager.issuerRef.name: is required: name the issuer',
  ],
])('refuses what the templates of the chart refuse: %j', (tls, text) => {
  expect(read(tls)?.faults.map((one) => one.text)).toEqual([expect.stringContaining(`tls.${text}`)]);
});

it.each([
  own,
  { enabled: false },
  { enabled: false, certManager: { enabled: true } },
  { enabled: true, certManager },
])('takes what the chart takes: %j', (tls) => {
  expect(chartFaults({ tls })).toEqual([]);
  expect(read(tls)?.faults).toEqual([]);
});

it('takes null, by which Helm takes a setting out', () => {
  expect(read({ ...own, clientCaSecret: null, allowedClientNames: null })?.faults).toEqual([]);
  expect(read({ enabled: true, existingSecret: null })?.faults).toHaveLength(1);
});

it.each([
  [{ ...own, clientCaSecret: 'clients' }, 1],
  [{ enabled: true, certManager, clientCaSecret: 'clients' }, 1],
  [{ ...own, clientCaSecret: 'clients', allowedClientNames: ['keda'] }, 0],
  [{ ...own, enabled: false, clientCaSecret: 'clients' }, 0],
  [{ enabled: true, certManager }, 0],
])('warns where any certificate of an authority may call: %j', (tls, count) => {
  const text = expect.stringMatching(/^tls\.clientCaSecret: every .* may call: .* tls\.allowedClientNames/);
  expect(read(tls)?.doubts.map((one) => one.text)).toEqual(Array(count).fill(text));
});

it('knows the Secrets that must be there', () => {
  const secretsOf = (tls: object) =>
    read(tls)?.tlsSecrets.map(({ secretName, keys }) => [secretName, ...keys].join(' '));
  const mutual = { clientCaSecret: 'clients' };
  expect(secretsOf({ ...own, ...mutual })).toEqual(['server tls.crt tls.key', 'clients ca.crt']);
  expect(secretsOf({ enabled: true, certManager, ...mutual })).toEqual(['clients ca.crt']);
  expect(secretsOf({ ...own, ...mutual, enabled: false })).toEqual([]);
});
