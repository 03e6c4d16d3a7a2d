import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigFolder, faultsOf, loaded } from '../../support/config-folder.ts';

let folder: ConfigFolder;
beforeEach(async () => {
  folder = await ConfigFolder.make();
});
afterEach(() => folder.remove());

async function load(decisions: string, more = '') {
  await folder.write('config.yaml', `connections: {}\n${more}decisions: ${decisions}\n`);
  return folder.load();
}

describe('decisions', () => {
  it('has its token from a file', async () => {
    await folder.write('token', 'open-sesame-open-sesame\n');
    const { settings } = loaded(await load('{ sink: "https://sink.example/in?a=b", tokenFile: token }'));
    expect(settings.decisions).toMatchObject({
      sink: 'https://sink.example/in?a=b',
      token: 'open-sesame-open-sesame',
    });
  });

  it('may be sent without TLS if nothing is secret, or if that is allowed', async () => {
    loaded(await load('{ sink: "http://broker.knative-eventing.svc/shop/default" }'));
    const security = 'security: { allowPlaintextSecrets: true }\n';
    loaded(await load('{ sink: "http://sink.example/?key=k", token: open-sesame-open-sesame }', security));
  });

  it.each([
    ['{ snik: "https://a.example" }', 'decisions.snik: unknown key (did you mean "sink"?)'],
    ['{ sink: a.example/in }', /^decisions\.sink: must be an https:\/\/ or http:\/\/ address without user/],
    ['{ sink: "ftp://a.example" }', /^decisions\.sink: must be an https/],
    ['{ sink: "https://user:hidden@a.example" }', /^decisions\.sink: must be .* without user and password/],
    ['{ sink: 7 }', /^decisions\.sink: must be text/],
    [
      '{ sink: "http://a.example", token: hidden-hidden-hidden }',
      /^decisions\.sink: would send its token or query without TLS/,
    ],
    [
      '{ sink: "http://a.example/?key=hidden" }',
      /^decisions\.sink: would send its token or query without TLS/,
    ],
    ['{ token: hidden-hidden-hidden }', 'decisions.token: needs sink'],
    [
      '{ sink: "https://a.example", token: "hidden-hidden-hidden\\nx" }',
      /^decisions\.token: must be letters, digits and signs/,
    ],
    [
      '{ sink: "https://a.example", tokenFile: nowhere }',
      /^decisions\.tokenFile: the file \S+ does not exist/,
    ],
    [
      '{ sink: "https://a.example", token: hidden-hidden-hidden, tokenFile: b }',
      /give token or tokenFile, not both/,
    ],
    ['{ sink: "https://a.example", token: hidden }', 'decisions.token: must be at least 16 characters long'],
    ['{ batchSize: 0 }', 'decisions.batchSize: must be at least 1'],
    ['{ batchSize: 1001 }', 'decisions.batchSize: must be at most 1000'],
    ['{ batchSize: 50, maxQueued: 49 }', 'decisions.maxQueued: must be at least batchSize'],
    ['{ flushMs: 0 }', 'decisions.flushMs: must be at least 1'],
    ['{ timeoutMs: soon }', 'decisions.timeoutMs: must be a number'],
  ])('%s cannot be used', async (decisions, fault) => {
    const faults = faultsOf(await load(decisions));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toEqual(typeof fault === 'string' ? fault : expect.stringMatching(fault));
    expect(faults[0]).not.toContain('hidden');
  });
});
