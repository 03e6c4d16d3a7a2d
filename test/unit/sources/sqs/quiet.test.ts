import { expect, it } from 'vitest';
import { connectionTo, readOne } from './connecting.ts';
import { countsAnswer, ScriptedSqs } from './scripted-sqs.ts';

// A file, and so a process, of its own: the AWS SDK warns of Node 20 with the first client, and never again.
it('the AWS SDK writes nothing to our streams', async () => {
  const written: string[] = [];
  const listen = (warning: Error) => written.push(warning.message);
  process.on('warning', listen);
  const server = await ScriptedSqs.start(() => countsAnswer());
  const connection = connectionTo(server.url);
  await readOne(connection, '/1/jobs');
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listen);
  expect(written).toEqual([]);
  await connection.close();
  await server.stop();
});
