import { expect, it } from 'vitest';
import { connectionTo, readAll } from './connecting.ts';
import { countsAnswer, ScriptedSqs } from './scripted-sqs.ts';

// In a file, and so a process, of its own. The AWS SDK warns about an old Node only with its first client.
it('a read of many queues makes neither Node nor the AWS SDK warn', async () => {
  const written: string[] = [];
  const listen = (warning: Error) => written.push(warning.message);
  process.on('warning', listen);
  const server = await ScriptedSqs.start(() => countsAnswer());
  const connection = connectionTo(server.url);
  const queues = Array.from({ length: 50 }, (_, i) => `/1/queue-${i}`);
  expect((await readAll(connection, queues)).size).toBe(50);
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listen);
  expect(written).toEqual([]);
  await connection.close();
  await server.stop();
});
