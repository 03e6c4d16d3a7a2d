import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { errorsPage } from '../../scripts/docs/errors.ts';
import { messagesIn } from '../../scripts/docs/messages.ts';
import { sources } from '../../src/sources/index.ts';
import { fromErrorCode, fromKafka } from '../../src/sources/kafka/upstream/errors.ts';
import { loadExample } from '../support/example-config.ts';
import { resolvingIn } from '../support/live-triggers.ts';

const messages = messagesIn();

/** The message on the page that matches a real one. */
function found(real: string): string | undefined {
  return messages.find(({ text }) => {
    const parts = text.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`${parts.join('.*')}$`, 's').test(real);
  })?.text;
}

describe('docs/errors.md', () => {
  it('equals the messages in the code', () => {
    expect(errorsPage(messages)).toBe(readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8'));
  });

  it('has the messages that real faults have', async () => {
    const { connections } = await loadExample(
      'connections:\n  orders: { source: kafka, bootstrapServers: [kafka:9092], namespaces: [shop] }\n',
    );
    const resolve = resolvingIn(sources, connections);
    const refused = (namespace: string, metadata: Record<string, string>): string => {
      try {
        resolve({
          namespace,
          name: 'workers',
          metadata: { source: 'kafka', consumerGroup: 'g', ...metadata },
        });
      } catch (reason) {
        return String(reason);
      }
      throw new Error('it is taken');
    };
    const real = [
      refused('shop', { topics: 'orders' }),
      refused('shop', { connection: 'payments' }),
      refused('bank', { connection: 'orders' }),
      refused('shop', { bootstrapServers: 'other:9092' }),
      refused('shop', { lagThreshold: 'ten' }),
      String(fromErrorCode(29, 'topic "orders"')),
      String(fromKafka(Object.assign(new Error(), { code: 'ECONNREFUSED' }), 'kafka:9092')),
      String(fromKafka(Object.assign(new Error(), { code: 'SELF_SIGNED_CERT_IN_CHAIN' }), 'kafka:9092')),
    ];
    expect(real.filter((one) => found(one) === undefined)).toEqual([]);
  });

  it('has the line of a plaintext start, which needs action though it is not a warning', () => {
    const [row = ''] = errorsPage(messages).match(/^.*`namespaces of connections hold only if.*$/m) ?? [];
    expect(row).toMatch(/\| \*info\* \|.*NetworkPolicy, or set mTLS\. \|$/);
  });

  it('cannot be made while a message has no cause', () => {
    const added = { code: 'unavailable', text: 'the moon is in the way', file: 'sources/kafka/moon.ts' };
    expect(() => errorsPage([...messages, added])).toThrow(
      'no row for src/sources/kafka/moon.ts: the moon is in the way',
    );
    const elsewhere = { ...added, file: 'moon/moon.ts' };
    expect(() => errorsPage([...messages, elsewhere])).toThrow('no section for src/moon/moon.ts');
    const gone = messages.filter(({ text }) => !text.includes('throttles the scaler for'));
    expect(() => errorsPage(gone)).toThrow('Kafka: no message is like /throttles the scaler/');
  });
});

describe('messages read from code', () => {
  const folder = mkdtempSync(join(tmpdir(), 'backlog-scaler-messages-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function textsOf(code: string): string[] {
    writeFileSync(join(folder, 'part.ts'), code);
    return messagesIn(pathToFileURL(`${folder}/`)).map(({ code, text }) => `${code}: ${text}`);
  }

  it.each([
    [
      'a template',
      "new ScalerError('denied', `namespace ${name} may not ask`)",
      'denied: namespace … may not ask',
    ],
    [
      'either of two',
      "new ScalerError('denied', a ? 'not by day' : 'not by night')",
      'denied: not by day',
      'denied: not by night',
    ],
    [
      'a table',
      "const t = { A: 'is not running now' }; new ScalerError('unavailable', `it ${t[c]}`)",
      'unavailable: it is not running now',
    ],
    [
      'what callers give',
      "function say(t: string) { return new ScalerError('invalid', `queue: ${t}`); } say('is not there now')",
      'invalid: queue: is not there now',
    ],
    ['a line of the log', "this.deps.log.warn({}, 'the old one stays')", 'warn: the old one stays'],
    ['no fault of ours', "new ScalerError('internal', 'this cannot be so')"],
  ])('%s', (_, code, ...texts) => {
    expect(textsOf(code)).toEqual(texts);
  });
});
