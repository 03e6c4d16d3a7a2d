import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LoadResult } from '../../../src/config/load.ts';
import { ConfigFolder, faultsOf, loaded } from '../../support/config-folder.ts';

let folder: ConfigFolder;
beforeEach(async () => {
  folder = await ConfigFolder.make();
});
afterEach(() => folder.remove());

async function load(tokens: string): Promise<LoadResult> {
  const connections = '{ jobs: { source: place, address: x }, builds: { source: place, address: y } }';
  await folder.write('config.yaml', `connections: ${connections}\ningest: { tokens: ${tokens} }`);
  return folder.load({ TOKEN: '12345678901234567890\n' });
}

const token = 'pr0ducer-0123456789';

describe('tokens of ingest', () => {
  it('are read as they stand, from the environment, and from files that are looked at again', async () => {
    await folder.write('token', `${token}\n\n`);
    const result = await load(
      '[{ name: a, tokenFile: token, connections: [jobs] }, { name: a, token: "${TOKEN}", connections: [jobs, builds] }]',
    );
    expect(loaded(result).settings.ingest.tokens).toEqual([
      { name: 'a', token, connections: ['jobs'] },
      { name: 'a', token: '12345678901234567890', connections: ['jobs', 'builds'] },
    ]);
    expect(result.stamps.size).toBe(2);
  });

  it.each([
    [
      `{ name: a, token: ${token}, connections: [job] }`,
      'connections[0]: there is no connection of this name (did you mean "jobs"?)',
    ],
    [
      `{ name: a, token: ${token}, connections: [jobs, x] }`,
      'connections[1]: there is no connection of this name',
    ],
    [`{ name: a, token: ${token}, connections: [] }`, 'connections: must be at least 1 item long'],
    [`{ name: a, token: ${token} }`, 'connections: is required'],
    [`{ token: ${token}, connections: [jobs] }`, 'name: is required'],
    ['{ name: a, connections: [jobs] }', 'token: is required'],
    ['{ name: a, token: pr0ducer, connections: [jobs] }', 'token: must be at least 16 characters long'],
    [
      '{ name: a, token: pr0ducer with a space, connections: [jobs] }',
      'token: must be letters, digits and signs without spaces: it is sent in a header',
    ],
    [
      '{ name: a, token: 12345678901234567890, connections: [jobs] }',
      'token: must be text (quote it if it looks like a number)',
    ],
    ['{ name: a, tokenFil: x, connections: [jobs] }', 'tokenFil: unknown key (did you mean "tokenFile"?)'],
  ])('%s is a fault', async (entry, fault) => {
    const faults = faultsOf(await load(`[${entry}]`));
    expect(faults).toContain(`ingest.tokens[0].${fault}`);
    expect(faults.join()).not.toContain('pr0ducer');
  });

  it('that cannot be read are named by their file', async () => {
    expect(faultsOf(await load('[{ name: a, tokenFile: none, connections: [jobs] }]'))).toEqual([
      expect.stringMatching(/^ingest\.tokens\[0\]\.tokenFile: the file .*none does not exist$/),
    ]);
  });
});
