import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';

/**
 * Node's `http`, without `import`. An import reads every export, and one of them (WebSocket) loads undici, which takes a
 * twentieth of the start.
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
  /** The longest that connecting through a proxy may take. */
  readonly proxyTimeoutMs: number;
}

/** An unused connection is closed after this time. Most servers and load balancers keep theirs for a minute. */
const idleMs = 30_000;

/**
 * The agents of one client. Their connections go through the proxies that `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
 * `NO_PROXY` name, in upper or lower case. The code for proxies is loaded only if one is set.
 *
 * Node can do this itself (`proxyEnv`, 22.21), but there a proxy that accepts and falls silent holds a request forever,
 * even if its signal aborts. The socket of a tunnel that opens too late is never closed (24.21).
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
