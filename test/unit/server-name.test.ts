import { describe, expect, it } from 'vitest';
import { serverName, withoutFinalDot } from '../../src/server-name.ts';
import { normaliseApiUrl } from '../../src/sources/github/config.ts';
import { kafkaConfig } from '../../src/sources/kafka/config.ts';
import { normaliseEndpoint } from '../../src/sources/sqs/rules/queue.ts';

describe('a name for TLS', () => {
  it.each([
    ['broker.example.', 'broker.example'],
    ['broker.example', 'broker.example'],
    ['localhost.', 'localhost'],
  ])('%s is %s', (host, name) => expect(serverName(host)).toBe(name));
});

describe('an address', () => {
  it.each([
    ['https://idp.example./token?a=b.', 'https://idp.example/token?a=b.'],
    ['https://idp.example.:8443/token', 'https://idp.example:8443/token'],
    ['https://idp.example/token.', 'https://idp.example/token.'],
    ['https://[::1]/', 'https://[::1]/'],
  ])('%s has a host without a dot at its end: %s', (given, address) => {
    expect(withoutFinalDot(given)).toBe(address);
  });

  it('is so for every setting with a name', () => {
    expect(normaliseApiUrl('https://ghes.example./api/v3/')).toBe('https://ghes.example/api/v3');
    expect(normaliseEndpoint('https://sqs.example.:4566/')).toBe('https://sqs.example:4566');
    const tokenEndpoint = 'https://idp.example./token';
    const sasl = { mechanism: 'oauthbearer', tokenEndpoint, clientId: 'a', clientSecret: 'b' };
    expect(kafkaConfig.parse({ bootstrapServers: ['a:1'], sasl }).sasl).toMatchObject({
      tokenEndpoint: 'https://idp.example/token',
    });
  });
});
