import { readFileSync } from 'node:fs';
import { CloudEvent, HTTP } from 'cloudevents';
import { expect, it } from 'vitest';
import { dataOf, eventOf } from '../../../src/decisions/cloudevents.ts';
import type { DecisionKind } from '../../../src/triggers/decision.ts';
import { decisionWith } from '../../support/decision.ts';

const kinds: DecisionKind[] = ['activated', 'deactivated', 'failing', 'recovered'];
const identity = { id: '6f1c2b9e-1a5d-4a55-9d0c-3a1f5d8e7b42-17', source: '/backlog-scaler/scaler-0' };

it.each(kinds)('%s is a CloudEvent 1.0 by the SDK', (kind) => {
  const event = eventOf(decisionWith({ kind, error: kind === 'failing' ? 'down' : undefined }), identity);
  const checked = new CloudEvent(event, true);
  expect(checked.type).toBe(`dev.backlog-scaler.trigger.${kind}`);
  expect(checked.subject).toBe('shop/orders-worker');
  expect(JSON.parse(JSON.stringify(checked))).toEqual(JSON.parse(JSON.stringify(event)));
});

it('a batch is read by the SDK as it was sent', () => {
  const events = kinds.map((kind) => eventOf(decisionWith({ kind }), identity));
  const headers = { 'content-type': 'application/cloudevents-batch+json' };
  const read = HTTP.toEvent<unknown>({ headers, body: JSON.stringify(events) });
  expect(Array.isArray(read) && read.map(({ type }) => type)).toEqual(events.map(({ type }) => type));
});

it('holds no metadata values and nothing of the connection but its name', () => {
  expect(JSON.stringify(eventOf(decisionWith(), identity))).not.toContain('secret');
});

it('docs/decisions.md shows a batch as it is posted, and every field', () => {
  const page = readFileSync(new URL('../../../docs/decisions.md', import.meta.url), 'utf8');
  const [, batch] = /^```json\n(.*?)^```$/ms.exec(page) ?? [];
  const activated = eventOf(decisionWith(), identity);
  expect(batch).toBe(`${JSON.stringify([activated], null, 2)}\n`);
  const fields = new Set([...Object.keys(dataOf(decisionWith())), 'error']);
  for (const field of fields) expect(page).toMatch(new RegExp(`^\\| (?:.*, )?\`${field}\`[^|]* \\|`, 'm'));
});
