import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectionTo, countingMetrics, errorOf, readOne } from './connecting.ts';
import { type Answer, countsAnswer, ScriptedSqs } from './scripted-sqs.ts';

const queue = '/123456789012/jobs';
const roleArn = 'arn:aws:iam::210987654321:role/reader';

let server: ScriptedSqs;
let before: [string, string | undefined][];
beforeEach(async () => {
  before = ofAws();
  for (const [name] of before) delete process.env[name];
  // No test may leave the machine, or read the files of the user who runs it.
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  process.env['AWS_CONFIG_FILE'] = '/nonexistent';
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = '/nonexistent';
  server = await ScriptedSqs.start();
  process.env['AWS_ENDPOINT_URL_STS'] = server.url;
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const [name] of ofAws()) delete process.env[name];
  Object.assign(process.env, Object.fromEntries(before));
  await server.stop();
});

function ofAws(): [string, string | undefined][] {
  return Object.entries(process.env).filter(([name]) => name.startsWith('AWS_'));
}

function assumed(expiresInMs = 3_600_000): Answer {
  const expiration = new Date(Date.now() + expiresInMs).toISOString();
  return {
    headers: { 'content-type': 'text/xml' },
    body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
      <Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
      <SessionToken>role-token</SessionToken><Expiration>${expiration}</Expiration></Credentials>
      </AssumeRoleResult></AssumeRoleResponse>`,
  };
}

function denied(): Answer {
  return {
    status: 403,
    headers: { 'content-type': 'text/xml' },
    body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
      <Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/x is not authorized to perform: sts:AssumeRole
      on resource: ${roleArn}</Message></Error></ErrorResponse>`,
  };
}

/** The signer of each request for an operation. */
function signers(operation: string): (string | undefined)[] {
  return server.asked
    .filter((asked) => asked.operation === operation)
    .map(({ headers }) => /Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1]);
}

describe('a connection signs as', () => {
  it('its access key', async () => {
    server.script = () => countsAnswer();
    const connection = connectionTo(server.url, {
      credentials: { accessKeyId: 'AKIDFILE', secretAccessKey: 's', sessionToken: 'session' },
    });
    await readOne(connection, queue);
    expect(signers('GetQueueAttributes')).toEqual(['AKIDFILE']);
    expect(server.asked[0]?.headers['x-amz-security-token']).toBe('session');
    await connection.close();
  });

  it('the identity of the default chain', async () => {
    process.env['AWS_ACCESS_KEY_ID'] = 'AKIDENV';
    process.env['AWS_SECRET_ACCESS_KEY'] = 's';
    server.script = () => countsAnswer();
    const connection = connectionTo(server.url, { credentials: undefined });
    await readOne(connection, queue);
    expect(signers('GetQueueAttributes')).toEqual(['AKIDENV']);
    await connection.close();
  });

  it('nobody, and says what to do', async () => {
    delete process.env['AWS_CONFIG_FILE'];
    delete process.env['AWS_SHARED_CREDENTIALS_FILE'];
    vi.stubEnv('HOME', '/nonexistent');
    const connection = connectionTo(server.url, { credentials: undefined });
    expect((await errorOf(connection, queue)).message).toBe(
      'queue jobs in eu-central-1: no AWS credentials were found: give the pod a role (IRSA, Pod Identity), or the connection `credentials`',
    );
    expect(server.asked).toEqual([]);
    await connection.close();
  });
});

describe('a fault of this pod', () => {
  const chain = () => connectionTo(server.url, { credentials: undefined });

  it.each([
    ['/nonexistent/token', 'ENOENT'],
    [tmpdir(), 'EISDIR'],
  ])('names the unreadable token file: %s', async (file, code) => {
    process.env['AWS_WEB_IDENTITY_TOKEN_FILE'] = file;
    process.env['AWS_ROLE_ARN'] = roleArn;
    const connection = chain();
    expect((await errorOf(connection, queue)).message).toBe(
      `queue jobs in eu-central-1: there are no AWS credentials: "${file}" cannot be read (${code}), which AWS_WEB_IDENTITY_TOKEN_FILE names as the token of the pod's role (IRSA)`,
    );
    expect(server.asked).toEqual([]);
    await connection.close();
  });

  it('names the file of the token for Pod Identity', async () => {
    process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = 'http://169.254.170.23/v1/credentials';
    process.env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'] = '/nonexistent/token';
    const connection = chain();
    expect((await errorOf(connection, queue)).message).toContain(
      '"/nonexistent/token" cannot be read (ENOENT), which AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names',
    );
    await connection.close();
  });

  it('names credentials that the environment mentions but that do not exist', async () => {
    process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = 'http://127.0.0.1:1/v1/credentials';
    const connection = chain();
    expect((await errorOf(connection, queue)).message).toContain(
      'no AWS credentials were found by AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE: check',
    );
    await connection.close();
  });
});

describe('an endless answer', () => {
  it.each(['GetQueueAttributes', 'AssumeRole'])('to %s is cut, and its connection closed', async (asked) => {
    server.script = ({ operation }) => {
      if (operation === asked) return { body: 'x'.repeat(4 * 1024 * 1024) };
      return operation === 'AssumeRole' ? assumed() : countsAnswer();
    };
    const connection = connectionTo(server.url, { roleArn });
    expect((await errorOf(connection, queue)).message).toContain('answers with more than 262144 bytes');
    await expect.poll(() => server.open).toBe(0);
    await connection.close();
  });
});

describe('a silent service for credentials', () => {
  it('is given up in time', async () => {
    server.script = () => 'hang';
    process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = `${server.url}/v1/credentials`;
    const connection = connectionTo(server.url, { credentials: undefined, requestTimeoutMs: 100 });
    expect((await errorOf(connection, queue)).message).toBe(
      'queue jobs in eu-central-1: there were no AWS credentials, or no whole answer, within 500 ms',
    );
    await connection.close();
  });
});

describe('a role', () => {
  it('is assumed with the external ID, once for all reads, and counted', async () => {
    const { metrics, counted } = countingMetrics();
    server.script = ({ operation }) => (operation === 'AssumeRole' ? assumed() : countsAnswer());
    const connection = connectionTo(server.url, { roleArn, externalId: 'shop-42' }, metrics);
    await Promise.all([readOne(connection, queue), readOne(connection, '/1/mail')]);
    await readOne(connection, queue);
    expect(server.asked[0]?.body).toMatchObject({
      RoleArn: roleArn,
      ExternalId: 'shop-42',
      RoleSessionName: 'backlog-scaler',
    });
    expect(signers('AssumeRole')).toEqual(['AKIDEXAMPLE']);
    expect(new Set(signers('GetQueueAttributes'))).toEqual(new Set(['ASIAROLE']));
    expect(counted.toSorted()).toEqual([
      'AssumeRole ok',
      'GetQueueAttributes ok',
      'GetQueueAttributes ok',
      'GetQueueAttributes ok',
    ]);
    await connection.close();
  });

  it('is assumed again before it ends', async () => {
    server.script = ({ operation }) => (operation === 'AssumeRole' ? assumed(60_000) : countsAnswer());
    const connection = connectionTo(server.url, { roleArn });
    await readOne(connection, queue);
    await readOne(connection, queue);
    expect(signers('AssumeRole').length).toBeGreaterThan(1);
    await connection.close();
  });

  it('that may not be assumed is reported, and tried again', async () => {
    server.script = () => denied();
    const connection = connectionTo(server.url, { roleArn });
    expect((await errorOf(connection, queue)).message).toContain('AWS refuses sts:AssumeRole: allow it');
    server.script = ({ operation }) => (operation === 'AssumeRole' ? assumed() : countsAnswer(3));
    expect(await readOne(connection, queue)).toMatchObject({ visible: 3 });
    await connection.close();
  });

  it('of a silent STS is given up in time', async () => {
    server.script = () => 'hang';
    const connection = connectionTo(server.url, { roleArn, requestTimeoutMs: 100 });
    expect((await errorOf(connection, queue)).message).toContain('does not answer within 100 ms');
    await connection.close();
  });
});
