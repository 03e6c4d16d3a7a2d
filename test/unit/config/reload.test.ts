import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changesBetween } from '../../../src/config/changes.ts';
import type { LoadedConfig } from '../../../src/config/load.ts';
import { ConfigReloader } from '../../../src/config/reload.ts';
import { ScalerError } from '../../../src/errors.ts';
import { ConfigFolder, loaded } from '../../support/config-folder.ts';
import { recordingLog } from '../../support/recording-log.ts';

let folder: ConfigFolder;
beforeEach(async () => {
  folder = await ConfigFolder.make();
});
afterEach(() => folder.remove());

const good = (address: string, rest = '') =>
  `connections: { a: { source: place, address: ${address} } }\n${rest}`;

async function reloader(apply: (config: LoadedConfig) => void = () => {}) {
  const first = await folder.load();
  const log = recordingLog();
  const outcomes: string[] = [];
  const applied: LoadedConfig[] = [];
  let loads = 0;
  const subject = new ConfigReloader(loaded(first), first.stamps, {
    load: () => {
      loads += 1;
      return folder.load();
    },
    apply: (config) => {
      apply(config);
      applied.push(config);
    },
    log,
    reloads: { inc: ({ outcome }) => void outcomes.push(outcome) },
  });
  return { subject, log, outcomes, applied, loads: () => loads };
}

describe('ConfigReloader', () => {
  it('does not load while no file has changed, but does when it is told to', async () => {
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
        message: 'these changed settings are only taken at the next start',
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

  it('sees that a missing secret has come, though the configuration is the same', async () => {
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

  it('counts a configuration that cannot be taken into use as refused', async () => {
    await folder.write('config.yaml', good('x'));
    const { subject, outcomes, log } = await reloader(() => {
      throw new ScalerError('invalid', 'connections.a: its certificate is none');
    });
    await subject.look({ force: true });
    expect(outcomes).toEqual(['refused']);
    expect(log.lines[0]?.fields).toEqual({ faults: ['connections.a: its certificate is none'] });
  });

  it('loads once more when it is told to during a load', async () => {
    await folder.write('config.yaml', good('x'));
    const { subject, loads } = await reloader();
    await Promise.all([subject.look({ force: true }), subject.look({ force: true })]);
    expect(loads()).toBe(2);
  });
});

describe('changesBetween', () => {
  const from = async (yaml: string) => {
    await folder.write('config.yaml', yaml);
    return loaded(await folder.load());
  };

  it('names connections that came, went and changed', async () => {
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

  it('takes limits and the token while running, and addresses at the next start', async () => {
    const before = await from('connections: {}');
    const after = await from(
      'admin: { host: 127.0.0.1, token: t }\nlimits: { triggers: 5 }\nconnections: {}',
    );
    expect(changesBetween(before, after)).toEqual({
      applied: ['admin.token', 'limits.triggers'],
      needRestart: ['admin.host'],
    });
  });

  it('takes what ingest bounds while running, and where it listens and keeps at the next start', async () => {
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
