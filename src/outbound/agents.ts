import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';

/**
 * Node's `http`. Not by `import`: that reads each of its exports, and one of them (WebSocket) loads undici, which is a
 * twentieth of a start.
 */
export const http = process.getBuiltinModule('node:http');
export const https = process.getBuiltinModule('node:https');

export interface Agents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

export interface AgentSettings {
  /** The most connections to one host at a time. */
  readonly maxSockets: number;
  /** The longest that a proxy may take to let us through, in ms. */
  readonly proxyTimeoutMs: number;
}

/** A connection that was not used for so long is not kept. Most servers and load balancers keep theirs for a minute. */
const idleMs = 30_000;

/**
 * What keeps the connections of one client. They go through the proxies that `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
 * `NO_PROXY` name, in either spelling; what that takes is loaded only where one of them is set.
 *
 * Node has this built in (`proxyEnv`, 22.21), but a proxy that accepts and falls silent holds a request there for ever,
 * whatever its signal says, and the socket of a tunnel that came too late is never closed (24.21).
 */
export async function agentsOf({ maxSockets, proxyTimeoutMs }: AgentSettings): Promise<Agents> {
  const settings = { keepAlive: true, maxSockets, timeout: idleMs };
  if (!namesProxy()) {
    return { httpAgent: new http.Agent(settings), httpsAgent: new https.Agent(settings) };
  }
  const { proxyingAgents } = await import('./proxies.ts');
  return proxyingAgents(settings, proxyTimeoutMs);
}

/** Whether the environment names a proxy. */
function namesProxy(): boolean {
  const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'];
  return names.some((name) => process.env[name] || process.env[name.toLowerCase()]);
}
