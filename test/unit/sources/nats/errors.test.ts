import { expect, it } from 'vitest';
import { fromNats, JetStreamRefusal } from '../../../../src/sources/nats/upstream/errors.ts';

const asked = { stream: 'orders', consumer: 'worker', servers: ['nats://a:4222'] };

it.each([
  [10059, 'not_found', 'account of domain "hub" has no such stream'],
  [10014, 'not_found', 'the stream has no such consumer: create it before the workload runs'],
  [10039, 'unavailable', `JetStream of domain "hub" is not enabled for the connection's account`],
  [10076, 'unavailable', "is not enabled for the connection's account"],
  [10008, 'unavailable', 'is not ready (said so\\u000a, 10008): it is asked again'],
  [10119, 'unavailable', 'is not ready'],
  [10003, 'unavailable', 'JetStream refuses (said so\\u000a, 10003)'],
])('%i of JetStream is %s', (code, as, text) => {
  const error = fromNats(new JetStreamRefusal(code, 'said so\n'), { ...asked, domain: 'hub' });
  expect(error.code).toBe(as);
  expect(error.message).toMatch(/^stream "orders", consumer "worker": /);
  expect(error.message).toContain(text);
});

it.each([
  [Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'NATS at nats://a:4222 refuses the connection'],
  [Object.assign(new Error('x'), { name: 'TimeoutError' }), 'does not answer in time'],
  [
    Object.assign(new Error('x'), {
      name: 'RequestError',
      cause: Object.assign(new Error(), { name: 'NoResponders' }),
    }),
    'has no JetStream for this account and domain',
  ],
  [
    Object.assign(new Error('Permissions Violation for Publish to "x"'), {
      name: 'PermissionViolationError',
    }),
    'does not allow it: Permissions Violation for Publish',
  ],
  [undefined, 'cannot be used: undefined'],
])('any thrown value is unavailable, in our words: %#', (reason, text) => {
  const error = fromNats(reason, asked);
  expect(error.code).toBe('unavailable');
  expect(error.message).toContain(text);
});
