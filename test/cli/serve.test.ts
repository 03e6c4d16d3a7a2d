import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Command } from '../support/command.ts';
import { ConfigFolder } from '../support/config-folder.ts';

let folder: ConfigFolder;
let running: Command[] = [];
beforeEach(async () => {
  folder = await ConfigFolder.make();
});
afterEach(async () => {
  for (const command of running) command.signal('SIGKILL');
  await Promise.all(running.map(({ exited }) => exited));
  running = [];
  await folder.remove();
});

function serve(env = {}): Command {
  const command = new Command(['serve', '--config', folder.file], env);
  running.push(command);
  return command;
}

const servers = 'grpc: { host: 127.0.0.1, port: 0 }\nadmin: { host: 127.0.0.1, port: 0 }\n';
/** Nothing listens there. Serving does not wait for a source. */
const kafka = 'source: kafka, bootstrapServers: ["127.0.0.1:1"]';

describe('serve with an unusable configuration', () => {
  const fails = async (code: number, message: string | RegExp) => {
    const command = serve();
    expect(await command.exited).toBe(code);
    expect(command.stderr).toMatch(message);
    expect(command.stderr).not.toMatch(/^\s+at /m);
    expect(command.stdout).toBe('');
  };

  it('has no file', () =>
    fails(2, /^The configuration cannot be used:\n {2}\S+config\.yaml does not exist\n$/));

  it('is not YAML', async () => {
    await folder.write('config.yaml', 'grpc: [1\nadmin: {}');
    await fails(2, /config\.yaml is not YAML: line 2, column \d+/);
  });

  it('has several faults, all named', async () => {
    await folder.write(
      'config.yaml',
      `grcp: {}\nconnections: { a: { ${kafka}, sasl: { mechanism: plain, username: u, passwordFile: nowhere } } }`,
    );
    const missing = join(folder.path, 'nowhere');
    await fails(
      2,
      `  connections.a.sasl.passwordFile: the file ${missing} does not exist\n  grcp: unknown key (did you mean "grpc"?)\n`,
    );
  });

  it.each(['grpc', 'admin'] as const)('names the port of %s that is taken', async (server) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const address = taken.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await folder.write(
      'config.yaml',
      `${servers.replace(new RegExp(`(${server}: .*)port: 0`), `$1port: ${port}`)}connections: {}`,
    );
    const command = serve();
    expect(await command.exited).toBe(1);
    expect(command.stderr).toMatch(
      new RegExp(`The scaler cannot start: ${server}: cannot listen on 127.0.0.1:${port}: .*EADDRINUSE`),
    );
    expect(command.stderr).not.toMatch(/^\s+at /m);
    await new Promise((resolve) => taken.close(resolve));
  });
});

describe('serve', () => {
  it('is ready without its sources, shows metrics, and drains on SIGTERM', async () => {
    await folder.write('config.yaml', `${servers}connections: { orders: { ${kafka} } }`);
    const command = serve();
    const url = `http://127.0.0.1:${await command.port('admin')}`;
    await command.line(({ state }) => state === 'serving');
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect(await (await fetch(`${url}/api/triggers`)).json()).toEqual({ triggers: [] });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(
      /^backlog_scaler_build_info\{version="\d+\.\d+\.\d+",commit="\S+",node="v\S+"\} 1$/m,
    );
    expect(metrics).not.toContain('tls_certificate_expiry');
    expect(metrics).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(metrics).toMatch(/^nodejs_eventloop_lag_p99_seconds \S+$/m);
    expect(metrics).not.toContain('nodejs_active_');
    command.signal('SIGTERM');
    expect(await command.exited).toBe(0);
    expect(command.stdout).toMatch(/"draining","why":"SIGTERM"[\s\S]*"stopped"/);
    expect(command.stderr).toBe('');
  });

  it.each([
    ['namespaces: [shop]', ['namespaces of connections hold only if KEDA alone can call']],
    ['namespaces: ["*"]', []],
    ['activeReadMs: 1000', ['every namespace may use these connections']],
  ])('with %s says who may call: %s', async (setting, said) => {
    await folder.write('config.yaml', `${servers}connections: { orders: { ${kafka}, ${setting} } }`);
    const command = serve();
    await command.line(({ state }) => state === 'serving');
    const sayings = [
      'namespaces of connections hold only if KEDA alone can call',
      'every namespace may use these connections',
    ];
    expect(sayings.filter((saying) => command.stdout.includes(saying))).toEqual(said);
  });

  it('applies a good change and refuses a bad one, on SIGHUP', async () => {
    await folder.write('config.yaml', `${servers}connections: { orders: { ${kafka} } }`);
    const command = serve();
    const url = `http://127.0.0.1:${await command.port('admin')}`;
    await command.line(({ state }) => state === 'serving');

    await folder.write(
      'config.yaml',
      `${servers}log: { level: warn }\nconnections: { orders: { sorce: kafka } }`,
    );
    command.signal('SIGHUP');
    expect(await command.line(({ msg }) => String(msg).includes('refused'))).toMatchObject({
      faults: ['connections.orders.source: is required'],
    });

    await folder.write(
      'config.yaml',
      `${servers.replace('port: 0', 'port: 1')}connections: { other: { ${kafka} } }`,
    );
    command.signal('SIGHUP');
    expect(await command.line(({ msg }) => msg === 'the configuration was reloaded')).toMatchObject({
      applied: ['connections.orders', 'connections.other'],
    });
    expect(await command.line(({ level, keys }) => level === 'warn' && keys !== undefined)).toMatchObject({
      keys: ['grpc.port'],
    });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('config_reloads_total{outcome="refused"} 1');
    expect(metrics).toContain('config_reloads_total{outcome="applied"} 1');
  });

  it('never logs a secret', async () => {
    await folder.write('secret', 'hunter2\n');
    const sasl = 'tls: true, sasl: { mechanism: plain, username: u, passwordFile: secret }';
    await folder.write(
      'config.yaml',
      `log: { level: trace }\n${servers}connections: { orders: { ${kafka}, ${sasl} } }`,
    );
    const command = serve();
    await command.line(({ state }) => state === 'serving');
    await folder.write('secret', 'hunter3\n');
    command.signal('SIGHUP');
    await command.line(({ msg }) => msg === 'the configuration was reloaded');
    command.signal('SIGINT');
    expect(await command.exited).toBe(0);
    expect(command.stdout + command.stderr).not.toContain('hunter');
  });
});
