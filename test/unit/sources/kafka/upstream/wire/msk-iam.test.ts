import { afterEach, expect, it, vi } from 'vitest';
import { mskIamToken } from '../../../../../../src/sources/kafka/upstream/wire/tokens.ts';

afterEach(() => void vi.unstubAllEnvs());

it('signs a login with the credentials of the environment, once while it lasts', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'not-a-real-secret');
  const token = mskIamToken({ region: 'eu-central-1' });
  const signed = new URL(Buffer.from(await token(), 'base64url').toString());
  expect(signed.host).toBe('kafka.eu-central-1.amazonaws.com');
  expect(signed.searchParams.get('Action')).toBe('kafka-cluster:Connect');
  expect(signed.searchParams.get('X-Amz-Credential')).toMatch(
    /^AKIDEXAMPLE\/\d{8}\/eu-central-1\/kafka-cluster\//,
  );
  expect(signed.href).not.toContain('not-a-real-secret');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDOTHER');
  expect(await token()).toBe(await token());
  expect(Buffer.from(await token(), 'base64url').toString()).toContain('AKIDEXAMPLE');
});

it('reports missing credentials', async () => {
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE', 'AWS_ROLE_ARN'])
    vi.stubEnv(name, '');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
  await expect(mskIamToken({ region: 'eu-central-1' })()).rejects.toThrow(
    expect.objectContaining({
      name: 'ScalerError',
      code: 'unavailable',
      message: expect.stringMatching(/^no AWS credentials to sign the login to MSK in eu-central-1 with/),
    }),
  );
});
