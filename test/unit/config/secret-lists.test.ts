import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LoadResult, loadConfig } from '../../../src/config/load.ts';
import { ConfigFolder, faultsOf, loaded } from '../../support/config-folder.ts';
import { ingestSource } from '../../support/ingest-source.ts';

let folder: ConfigFolder;
beforeEach(async () => {
  folder = await ConfigFolder.make();
});
afterEach(() => folder.remove());

async function load(entry: string, environment = {}): Promise<LoadResult> {
  await folder.write('config.yaml', `connections: { ci: { source: github, owner: acme, ${entry} } }`);
  return loadConfig(folder.file, { environment, sources: [ingestSource] });
}

describe('a list of secrets from files', () => {
  it('is read in its order, without line ends, and every file is looked at again', async () => {
    await folder.write('old', 'one\n');
    await folder.write('new', ' two \r\n');
    const result = await load('webhookSecretFiles: [old, "${NEW}"]', { NEW: 'new' });
    const config = loaded(result).connections.get('ci')?.config;
    expect(config).toMatchObject({ webhookSecrets: ['one', ' two '] });
    // They are read side by side.
    expect(new Set(result.stamps.keys())).toEqual(
      new Set([folder.file, join(folder.path, 'old'), join(folder.path, 'new')]),
    );
  });

  it('leaves its connection open when one is replaced: the upstream never sees it', async () => {
    const print = async () =>
      loaded(await load('webhookSecretFiles: [a, b]')).connections.get('ci')?.fingerprint;
    await folder.write('a', 'one');
    await folder.write('b', 'two');
    const before = await print();
    await folder.write('b', 'three');
    expect(await print()).toBe(before);
  });

  it.each([
    ['webhookSecretFiles: one', 'connections.ci.webhookSecretFiles: must be a list of paths of files'],
    ['webhookSecretFiles: [1]', 'connections.ci.webhookSecretFiles[0]: must be the path of a file'],
    ['webhookSecretFiles: []', 'connections.ci.webhookSecretFiles: must be at least 1 item long'],
    [
      'webhookSecretFiles: ["${NOPE}"]',
      'connections.ci.webhookSecretFiles[0]: the environment variable NOPE is not set',
    ],
    [
      'webhookSecretFiles: [a], webhookSecrets: [b]',
      'connections.ci.webhookSecretFiles: give webhookSecrets or webhookSecretFiles, not both',
    ],
    ['webhookSecretFile: [a]', 'connections.ci.webhookSecretFile: must be the path of a file'],
    [
      'webhookSecretFils: [a]',
      'connections.ci.webhookSecretFils: unknown key (did you mean "webhookSecretFile"?)',
    ],
  ])('%s', async (entry, fault) => {
    expect(faultsOf(await load(entry))).toEqual([fault]);
  });

  it('names the missing file', async () => {
    await folder.write('a', 'one');
    expect(faultsOf(await load('webhookSecretFiles: [a, gone]'))).toEqual([
      `connections.ci.webhookSecretFiles[1]: the file ${join(folder.path, 'gone')} does not exist`,
    ]);
  });
});
