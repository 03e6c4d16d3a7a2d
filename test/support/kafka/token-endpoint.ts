import { createServer, type IncomingMessage } from 'node:http';
import { onTestFinished } from 'vitest';
import { listen } from '../../../fakes/ports.ts';

export interface TokenClient {
  clientId: string;
  clientSecret: string;
}

export interface TokenEndpoint {
  url: string;
  /** How many tokens it has issued. */
  issued(): number;
}

/** An OAuth 2.0 token endpoint (RFC 6749 §4.4) for one client. Its tokens are unsigned (`alg: none`). */
export async function tokenEndpoint(
  { clientId, clientSecret }: TokenClient,
  { subject, lifetimeSeconds }: { subject: string; lifetimeSeconds: number },
): Promise<TokenEndpoint> {
  let issued = 0;
  // Both are form-encoded before they are joined (RFC 6749 §2.3.1).
  const encoded = [clientId, clientSecret].map((text) => encodeURIComponent(text).replaceAll('%20', '+'));
  const expected = `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
  const server = createServer(async (request, response) => {
    const form = new URLSearchParams(await bodyOf(request));
    response.setHeader('content-type', 'application/json');
    if (request.headers.authorization !== expected || form.get('grant_type') !== 'client_credentials') {
      response.writeHead(401).end(JSON.stringify({ error: 'invalid_client' }));
      return;
    }
    issued += 1;
    const access_token = unsignedToken(subject, lifetimeSeconds);
    response.end(
      JSON.stringify({
        access_token,
        token_type: 'Bearer',
        expires_in: lifetimeSeconds > 0 ? lifetimeSeconds : 60,
      }),
    );
  });
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}/token`, issued: () => issued };
}

function unsignedToken(subject: string, lifetimeSeconds: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: now, exp: now + lifetimeSeconds })}.`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
