import { chmod, mkdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigFolder, faultsOf, loaded } from '../../support/config-folder.ts';

let folder: ConfigFolder;
beforeEach(async () => {
  folder = await ConfigFolder.make();
});
afterEach(() => folder.remove());

async function load(entry: string, environment = {}) {
  await folder.write('config.yaml', `connections: { a: { source: place, address: x, ${entry} } }`);
  return folder.load(environment);
}

async function config(entry: string, environment = {}) {
  return loaded(await load(entry, environment)).connections.get('a')?.config;
}

describe('secrets from files', () => {
  it.each([
    ['hunter2\n', 'hunter2'],
    ['hunter2\r\n', 'hunter2'],
    ['hunter2', 'hunter2'],
    ['  two words \n', '  two words '],
    ['ends empty\n\r\n\n', 'ends empty'],
    ['two\nlines\n', 'two\nlines'],
  ])('%j is read as %j', async (content, password) => {
    await folder.write('secret', content);
    expect(await config('passwordFile: secret')).toMatchObject({ password });
  });

  it('lose the line ends behind them wherever they come from', async () => {
    const environment = { PASSWORD: 'hunter2\r\n\n', CA: 'PEM\n' };
    expect(await config('password: "${PASSWORD}", tls: { ca: "${CA}" }', environment)).toMatchObject({
      password: 'hunter2',
      tls: { ca: 'PEM' },
    });
  });

  it('are found in nested settings, by full paths and by the environment', async () => {
    await folder.write('ca.pem', 'PEM\n');
    expect(await config('tls: { caFile: "${DIR}/ca.pem" }', { DIR: folder.path })).toMatchObject({
      tls: { ca: 'PEM' },
    });
  });

  it.each([
    ['empty', '', 'is empty'],
    ['blank', ' \n\n', 'is empty'],
    ['binary', new Uint8Array([0xff, 0xfe, 0x00]), 'is not UTF-8 text'],
    ['huge', 'x'.repeat(1024 * 1024 + 1), 'is larger than 1048576 bytes'],
  ])('%s files are refused by key, path and reason', async (name, content, problem) => {
    await folder.write(name, content);
    expect(faultsOf(await load(`passwordFile: ${name}`))).toEqual([
      `connections.a.passwordFile: the file ${join(folder.path, name)} ${problem}`,
    ]);
  });

  it('refuses a path that is not a file', async () => {
    await mkdir(join(folder.path, 'dir'));
    expect(faultsOf(await load('passwordFile: dir'))[0]).toMatch(/dir is not a file$/);
  });

  it('says that a file may not be read', async ({ skip }) => {
    skip(process.getuid?.() === 0, 'root may read every file');
    await folder.write('locked', 'x');
    await chmod(join(folder.path, 'locked'), 0o000);
    expect(faultsOf(await load('passwordFile: locked'))[0]).toMatch(/may not be read \(permission denied\)$/);
  });

  it.each([
    ['password: a, passwordFile: b', 'connections.a.passwordFile: give password or passwordFile, not both'],
    ['passwordFile: 5', 'connections.a.passwordFile: must be the path of a file'],
    ['passwordFile: ""', 'connections.a.passwordFile: must be the path of a file'],
    ['passwordFile: "${NOPE}"', 'connections.a.passwordFile: the environment variable NOPE is not set'],
  ])('%s', async (entry, fault) => {
    expect(faultsOf(await load(entry))).toEqual([fault]);
  });

  it('are marked where they are not on this machine, and variables too', async () => {
    await folder.write('empty', '');
    await folder.write(
      'config.yaml',
      `grpc: { tls: { certFile: nowhere, keyFile: empty } }
connections:
  a: { source: place, address: x, passwordFile: gone }
  b: { source: place, address: "\${NOPE}" }
  c: { source: place, address: "does not exist", passwordFile: empty }`,
    );
    const result = await folder.load();
    expect(result.kind === 'refused' && result.faults.map(({ line, absent }) => [line, absent])).toEqual([
      [4, { key: 'connections.b.address' }],
      [3, { key: 'connections.a.passwordFile', file: join(folder.path, 'gone') }],
      [5, undefined],
      [1, { key: 'grpc.tls.certFile', file: join(folder.path, 'nowhere') }],
      [1, undefined],
    ]);
  });

  it('names a misplaced key as it was written', async () => {
    await folder.write('ca.pem', 'PEM');
    expect(faultsOf(await load('caFile: ca.pem'))).toEqual([
      expect.stringMatching(/^connections\.a\.caFile: unknown key/),
    ]);
  });

  it('never shows the content of a file or a wrong value', async () => {
    await folder.write('secret', 'hunter2');
    const faults = faultsOf(await load('passwordFile: secret, tls: hunter3, port: hunter4, hunted: hunter5'));
    expect(faults.length).toBeGreaterThan(2);
    expect(faults.join()).not.toMatch(/hunter/);
  });

  it('reads the token of the admin server', async () => {
    await folder.write('token', 'abcdefghijklmnop\n');
    await folder.write('config.yaml', 'admin: { tokenFile: token }\nconnections: {}');
    expect(loaded(await folder.load()).settings.admin.token).toBe('abcdefghijklmnop');
  });
});

it('looks a password of digits up as text, and a port as a number', async () => {
  expect(await config('password: "${P}", port: "${N}"', { P: '12345', N: '99' })).toMatchObject({
    password: '12345',
    port: 99,
  });
});

describe('the files of the gRPC server', () => {
  it('stay paths, full ones, and must be there', async () => {
    await folder.write('cert.pem', 'PEM');
    await folder.write(
      'config.yaml',
      'grpc: { tls: { certFile: cert.pem, keyFile: key.pem } }\nconnections: {}',
    );
    expect(faultsOf(await folder.load())).toEqual([
      `grpc.tls.keyFile: the file ${join(folder.path, 'key.pem')} does not exist`,
    ]);
    await folder.write('key.pem', 'PEM');
    expect(loaded(await folder.load()).start.grpc.tls).toEqual({
      certFile: join(folder.path, 'cert.pem'),
      keyFile: join(folder.path, 'key.pem'),
    });
  });

  it('has names of clients only if clients show certificates', async () => {
    await folder.write('pem', 'PEM');
    await folder.write(
      'config.yaml',
      'grpc: { tls: { certFile: pem, keyFile: pem, allowedClientNames: [keda] } }\nconnections: {}',
    );
    expect(faultsOf(await folder.load())).toEqual([
      'grpc.tls.allowedClientNames: needs clientCaFile: without it clients show no certificate',
    ]);
  });
});

it('remembers each file behind its link, so that a swapped link is a change', async () => {
  await mkdir(join(folder.path, '1'));
  await mkdir(join(folder.path, '2'));
  await folder.write('1/secret', 'same size');
  await folder.write('2/secret', 'same size');
  await symlink('1', join(folder.path, '..data'));
  await symlink('..data/secret', join(folder.path, 'secret'));
  const before = (await load('passwordFile: secret')).stamps;
  await symlink('2', join(folder.path, 'next'));
  await rename(join(folder.path, 'next'), join(folder.path, '..data'));
  const after = (await load('passwordFile: secret')).stamps;
  const secret = join(folder.path, 'secret');
  expect(before.get(secret)).toBeDefined();
  expect(after.get(secret)).not.toBe(before.get(secret));
});
