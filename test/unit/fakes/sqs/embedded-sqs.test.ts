import { expect, it, onTestFinished } from 'vitest';
import { missingSqs, startSqs } from '../../../../fakes/sqs/embedded-sqs.ts';

const notInstalled = Object.assign(new Error("Cannot find package 'fauxqs'"), {
  code: 'ERR_MODULE_NOT_FOUND',
});

it('listens for this machine alone', async () => {
  const sqs = await startSqs();
  onTestFinished(() => sqs.close());
  expect(sqs.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect((await fetch(`${sqs.endpoint}/health`)).status).toBe(200);
});

it('is available with development dependencies', async () => {
  expect(await missingSqs()).toBeUndefined();
});

it('says where it comes from if it is not installed', async () => {
  const message =
    'fauxqs, which plays the part of SQS, is a development dependency and is not installed; it comes with npm ci in a clone of the project';
  const load = () => Promise.reject(notInstalled);
  expect(await missingSqs(load)).toBe(message);
  await expect(startSqs(load)).rejects.toMatchObject({ name: 'ScalerError', code: 'unavailable', message });
});

it('reports any other fault', async () => {
  expect(await missingSqs(() => Promise.reject(new Error('bad module')))).toContain(
    'cannot be loaded (bad module)',
  );
});
