import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LoadedConfig } from '../../../src/config/load.ts';
import {
  ConfigReloader,
  type Configurable,
  changesBetween,
  prepareAll,
  taking,
} from '../../../src/config/reload.ts';
import { ScalerError } from '../../../src/errors.ts';
import { ConfigFolder, usable } from '../../support/config-folder.ts';
import { recordingLog } from '../../support/recording-log.ts';

let folder: ConfigFolder;
beforeEach(async () => {
  folder = await ConfigFolder.make();
});
afterEach(() => folder.remove());

const good = (address: string, rest = '') =>
  `connections: { a: { source: place, address: ${address} } }\n${rest}`;

async function reloader(refuses: (config: LoadedConfig) => void = () => {}, { isStarted = true } = {}) {
  const log = recordingLog();
  const outcomes: string[] = [];
  const applied: LoadedConfig[] = [];
  let loads = 0;
  const refusing: Configurable = {
    prepare: (config) => {
      refuses(config);
      return { commit: () => {}, discard: () => {} };
    },
  };
  const subject = new ConfigReloader(usable(await folder.load()), {
    parts: [taking((config) => void applied.push(config)), refusing],
    load: () => {
      loads += 1;
      return folder.load();
    },
    log,
    reloads: { inc: ({ outcome }) => void outcomes.push(outcome) },
  });
  if (isStarted) await subject.start();
  applied.splice(0);
  return { subject, log, outcomes, applied, loads: () => loads };
}

const addressOf = (config: LoadedConfig | undefined) => config?.connections.get('a')?.config;

describe('ConfigReloader', () => {
  it('does not load while no file has changed, unless forced', async () => {
    await folder.write('config.yaml', good('x'));
    const { subject, loads, outcomes } = await reloader();
    await subject.look();
    expect(loads()).toBe(0);
    await subject.look({ force: true });
    expect([loads(), outcomes]).toEqual([1, ['applied']]);
  });

  it('applies a changed file and says what changed and what needs a restart', async () => {
    await folder.write('config.yaml', good('x'));
    const { subject, log, applied, outcomes } = await reloader();
    await folder.write('config.yaml', good('longer', 'grpc: { port: 1 }\nlog: { level: debug }\n'));
    await subject.look();
    expect(applied).toHaveLength(1);
    expect(outcomes).toEqual(['applied']);
    expect(log.lines).toEqual([
      {
        level: 'info',
        message: 'the configuration was reloaded',
        fields: { applied: ['log.level', 'connections.a'] },
      },
      {
        level: 'warn',
        message: 'these changed settings need a restart',
        fields: { keys: ['grpc.port'] },
      },
    ]);
  });

  it('applies a changed secret', async () => {
    await folder.write('secret', 'one');
    await folder.write(
      'config.yaml',
      'connections: { a: { source: place, address: x, passwordFile: secret } }',
    );
    const { subject, applied } = await reloader();
    await folder.write('secret', 'three');
    await subject.look();
    expect(applied[0]?.connections.get('a')?.config).toMatchObject({ password: 'three' });
  });

  it('refuses a bad file once per change, keeps the old one, and takes the next good one', async () => {
    await folder.write('config.yaml', good('x'));
    const { subject, log, applied, outcomes } = await reloader();
    await folder.write('config.yaml', 'grcp: {}');
    await subject.look();
    await subject.look();
    await subject.look();
    expect([applied.length, outcomes]).toEqual([0, ['refused']]);
    expect(log.lines).toEqual([
      {
        level: 'error',
        message: 'the changed configuration was refused; the old one stays',
        fields: { faults: ['connections: is required', 'grcp: unknown key (did you mean "grpc"?)'] },
      },
    ]);
    await folder.write('config.yaml', good('other'));
    await subject.look();
    expect(outcomes).toEqual(['refused', 'applied']);
  });

  it('notices a missing secret that appears, though the configuration is the same', async () => {
    await folder.write('config.yaml', good('x'));
    const { subject, outcomes } = await reloader();
    await folder.write(
      'config.yaml',
      'connections: { a: { source: place, address: x, passwordFile: later } }',
    );
    await subject.look();
    await folder.write('later', 'here');
    await subject.look();
    expect(outcomes).toEqual(['refused', 'applied']);
  });

  it('notices a missing certificate of the gRPC server that appears, and leaves its changes to the server', async () => {
    await folder.write('config.yaml', good('x'));
    const { subject, outcomes, loads } = await reloader();
    await folder.write('key.pem', 'a key');
    await folder.write('config.yaml', good('x', 'grpc: { tls: { certFile: cert.pem, keyFile: key.pem } }'));
    await subject.look();
    expect(outcomes).toEqual(['refused']);
    await folder.write('cert.pem', 'a certificate');
    await subject.look();
    expect(outcomes).toEqual(['refused', 'applied']);
    await folder.write('cert.pem', 'a renewed certificate');
    await subject.look();
    expect(loads()).toBe(2);
  });

  it('counts a configuration that cannot be applied as refused', async () => {
    await folder.write('config.yaml', good('x'));
    const { subject, outcomes, log, applied } = await reloader((config) => {
      if (config.settings.log.level === 'warn')
        throw new ScalerError('invalid', 'connections.a: its certificate is none');
    });
    await folder.write('config.yaml', good('x', 'log: { level: warn }'));
    await subject.look();
    expect([outcomes, applied]).toEqual([['refused'], []]);
    expect(log.lines[0]?.fields).toEqual({ faults: ['connections.a: its certificate is none'] });
  });

  it('loads once more if forced during a load', async () => {
    await folder.write('config.yaml', good('x'));
    const { subject, loads } = await reloader();
    await Promise.all([subject.look({ force: true }), subject.look({ force: true })]);
    expect(loads()).toBe(2);
  });

  it('applies the first configuration like every other, and throws if a part refuses it', async () => {
    await folder.write('config.yaml', good('x'));
    const { subject, applied } = await reloader(() => {}, { isStarted: false });
    await subject.start();
    expect(applied.map(addressOf)).toEqual([{ address: 'x' }]);
    const refused = await reloader(
      () => {
        throw new ScalerError('unavailable', 'no port');
      },
      { isStarted: false },
    );
    await expect(refused.subject.start()).rejects.toMatchObject({ code: 'unavailable', message: 'no port' });
    expect(refused.applied).toEqual([]);
  });

  it.each(['before', 'while'])('does not lose a forced load %s it starts', async (when) => {
    await folder.write('config.yaml', good('x'));
    const { subject, applied, log } = await reloader(() => {}, { isStarted: false });
    await folder.write('config.yaml', good('new'));
    if (when === 'before') await subject.look({ force: true });
    const started = subject.start();
    if (when === 'while') await subject.look({ force: true });
    await started;
    expect(applied.map(addressOf)).toEqual([{ address: 'x' }, { address: 'new' }]);
    await subject.look();
    expect(applied).toHaveLength(2);
    expect(log.lines).toMatchObject([{ fields: { applied: ['connections.a'] } }]);
  });

  it('says what waits for a restart for as long as it waits', async () => {
    await folder.write('config.yaml', good('x'));
    const { subject, log } = await reloader();
    const waiting = () => log.lines.splice(0).filter(({ level }) => level === 'warn');
    await folder.write('config.yaml', good('x', 'grpc: { port: 1 }'));
    await subject.look();
    expect(waiting()).toMatchObject([{ fields: { keys: ['grpc.port'] } }]);
    await folder.write('config.yaml', good('other', 'grpc: { port: 1 }'));
    await subject.look();
    expect(waiting()).toMatchObject([{ fields: { keys: ['grpc.port'] } }]);
    await folder.write('config.yaml', good('other'));
    await subject.look();
    expect(waiting()).toEqual([]);
  });

  it('stops loading when it is closed', async () => {
    await folder.write('config.yaml', good('x'));
    const { subject, loads } = await reloader();
    await subject.close();
    await subject.look({ force: true });
    expect(loads()).toBe(0);
  });
});

describe('what keeps callers out', () => {
  const token = 'token: 0123456789abcdef';
  const tls = 'tls: { certFile: pem, keyFile: pem, clientCaFile: pem, allowedClientNames: [keda] }';
  const why = (key: string, how = '') =>
    `${key}: is left out, but has kept callers out so far, and a truncated file must not let them in; ${how}restart to drop it`;
  const reloaded = async (before: string, after: string) => {
    await folder.write('pem', 'PEM');
    await folder.write('config.yaml', before);
    const { subject, log, applied } = await reloader();
    await folder.write('config.yaml', after);
    await subject.look({ force: true });
    const [line] = log.lines;
    return applied.length > 0 ? [] : line !== undefined && 'faults' in line.fields ? line.fields.faults : [];
  };

  it('is not dropped by a truncated file, wherever it ends', async () => {
    const whole = `connections:\n  a: { source: place, address: x }\nlog:\n  level: debug\nadmin:\n  ${token}\n`;
    const cut = Array.from({ length: whole.length }, (_, length) => whole.slice(0, length));
    await folder.write('config.yaml', whole);
    const { subject, applied } = await reloader();
    for (const text of cut) {
      await folder.write('config.yaml', text);
      await subject.look({ force: true });
    }
    expect(applied.map(({ settings }) => settings.admin.token)).toEqual(['0123456789abcdef']);
  });

  it.each([
    ['admin.token', `admin: { ${token} }\nconnections: {}`, 'connections: {}'],
    ['grpc.tls', `grpc: { tls: { certFile: pem, keyFile: pem } }\nconnections: {}`, 'connections: {}'],
    [
      'grpc.tls.allowedClientNames',
      `grpc: { ${tls} }\nconnections: {}`,
      `grpc: { ${tls.replace(', allowedClientNames: [keda]', '')} }\nconnections: {}`,
    ],
  ])('is not dropped by leaving out %s', async (key, before, after) => {
    expect(await reloaded(before, after)).toEqual([why(key)]);
  });

  const shop = 'connections: { a: { source: place, address: x, namespaces: [shop] } }';
  it('is not dropped by leaving out namespaces', async () => {
    expect(await reloaded(shop, shop.replace(', namespaces: [shop]', ''))).toEqual([
      why('connections.a.namespaces', 'write ["*"] to let all in, or '),
    ]);
  });

  it('is not dropped by a file that is written slowly: its connection goes, and comes back without it', async () => {
    const whole = `log:\n  level: debug\nconnections:\n  a: { source: place, address: x }\n  b:\n    source: place\n    address: y\n    namespaces: [shop]\n`;
    await folder.write('config.yaml', whole);
    const { subject, applied } = await reloader();
    for (let length = 1; length <= whole.length; length += 1) {
      await folder.write('config.yaml', whole.slice(0, length));
      await subject.look({ force: true });
    }
    const reached = applied.map(({ connections }) => connections.get('b')?.namespaces);
    expect(reached).toContain(undefined);
    expect(reached.filter((namespaces) => namespaces?.includes('*'))).toEqual([]);
    expect(reached.at(-1)).toEqual(['shop']);
  });

  it.each([
    ['namespaces are opened to all', shop, shop.replace('[shop]', '["*"]')],
    ['what is left out was open', shop.replace('[shop]', '["*"]'), shop.replace(', namespaces: [shop]', '')],
    ['the connection is gone', shop, 'connections: {}'],
    [
      'the token is another',
      `admin: { ${token} }\nconnections: {}`,
      'admin: { token: fedcba9876543210 }\nconnections: {}',
    ],
  ])('may change: %s', async (_, before, after) => {
    expect(await reloaded(before, after)).toEqual([]);
  });
});

describe('prepareAll', () => {
  const names = ['a', 'b', 'c'];
  const run = async (failing?: string) => {
    await folder.write('config.yaml', good('x'));
    const did: string[] = [];
    const parts = names.map(
      (name): Configurable => ({
        prepare: async () => {
          did.push(`prepare ${name}`);
          if (name === failing) throw new ScalerError('unavailable', `${name} is broken`);
          return {
            commit: () => void did.push(`commit ${name}`),
            discard: async () => void did.push(`discard ${name}`),
          };
        },
      }),
    );
    const prepared = prepareAll(parts, usable(await folder.load()).config);
    return { did, prepared };
  };

  it('commits nothing before all have prepared', async () => {
    const { did, prepared } = await run();
    const { commit } = await prepared;
    expect(did).toEqual(['prepare a', 'prepare b', 'prepare c']);
    commit();
    expect(did.slice(3)).toEqual(['commit a', 'commit b', 'commit c']);
  });

  it.each([
    ['a', ['prepare a']],
    ['b', ['prepare a', 'prepare b', 'discard a']],
    ['c', ['prepare a', 'prepare b', 'prepare c', 'discard b', 'discard a']],
  ])('discards what was prepared if %s refuses', async (failing, expected) => {
    const { did, prepared } = await run(failing);
    await expect(prepared).rejects.toMatchObject({ code: 'unavailable', message: `${failing} is broken` });
    expect(did).toEqual(expected);
  });
});

describe('changesBetween', () => {
  const from = async (yaml: string) => {
    await folder.write('config.yaml', yaml);
    return usable(await folder.load());
  };

  it('names connections that were added, removed and changed', async () => {
    const before = await from(
      'connections: { a: { source: place, address: x }, b: { source: place, address: x } }',
    );
    const after = await from(
      'connections: { b: { source: place, address: y }, c: { source: place, address: x } }',
    );
    expect(changesBetween(before, after)).toEqual({
      applied: ['connections.a', 'connections.b', 'connections.c'],
      needRestart: [],
    });
    expect(changesBetween(before, before)).toEqual({ applied: [], needRestart: [] });
  });

  it('applies limits and the token while running, and addresses at the next start', async () => {
    const before = await from('connections: {}');
    const after = await from(
      'admin: { host: 127.0.0.1, token: 0123456789abcdef }\nlimits: { triggers: 5 }\nconnections: {}',
    );
    expect(changesBetween(before, after)).toEqual({
      applied: ['admin.token', 'limits.triggers'],
      needRestart: ['admin.host'],
    });
  });

  it('applies the bounds of ingest while running, and its address and storage at the next start', async () => {
    const before = await from('connections: {}');
    const after = await from(
      'ingest: { host: 127.0.0.1, port: 1, maxBodyBytes: 2048 }\neventLog: { type: memory, maxEvents: 5 }\nconnections: {}',
    );
    expect(changesBetween(before, after)).toEqual({
      applied: ['ingest.maxBodyBytes'],
      needRestart: ['ingest.host', 'ingest.port', 'eventLog.maxEvents'],
    });
  });
});
