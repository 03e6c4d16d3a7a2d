import { type AgentOptions, type ClientRequest, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { getProxyForUrl } from 'proxy-from-env';
import type { Agents } from './agents.ts';

/** A fault of the proxy, not of the host behind it. It names the proxy without the user and password of its address. */
class ProxyFault extends Error {
  override readonly name = 'ProxyFault';
  readonly code = 'PROXY';

  constructor(proxy: string, what: string) {
    super(`the proxy ${shown(proxy)} ${what}`);
  }
}

/** Agents that send each request through the proxy that the environment names for its host, or directly. */
export function proxyingAgents(settings: AgentOptions, timeoutMs: number): Agents {
  const http = new HttpAgent(settings);
  const https = new HttpsAgent(settings);
  return {
    httpAgent: new ByHost(http, settings, (proxy) => new Forwards(proxy, settings, timeoutMs)),
    // Node checks an agent's protocol, not its class.
    httpsAgent: new ByHost(
      https,
      settings,
      (proxy) => new Tunnels(proxy, settings, timeoutMs),
    ) as HttpAgent as HttpsAgent,
  };
}

interface RequestOptions {
  readonly host?: string | null;
  readonly port?: number | string | null;
  secureEndpoint?: boolean;
}

/** How Node hands a request to its agent. Node's types lack it, though every library for proxies depends on it. */
interface TakesRequests {
  addRequest(request: ClientRequest, options: RequestOptions): void;
}

/** Hands each request to the agent of its proxy, or to the direct one. */
class ByHost extends HttpAgent implements TakesRequests {
  /** Node reads this and `defaultPort` of an agent. */
  readonly protocol: string;
  readonly defaultPort: number;
  private readonly direct: HttpAgent;
  private readonly through: (proxy: string) => HttpAgent;
  /** By proxy. */
  private readonly agents = new Map<string, HttpAgent>();

  constructor(direct: HttpAgent, settings: AgentOptions, through: (proxy: string) => HttpAgent) {
    super(settings);
    const secure = direct instanceof HttpsAgent;
    this.protocol = secure ? 'https:' : 'http:';
    this.defaultPort = secure ? 443 : 80;
    this.direct = direct;
    this.through = through;
  }

  addRequest(request: ClientRequest, options: RequestOptions): void {
    (this.takerOf(options) as HttpAgent & TakesRequests).addRequest(request, {
      ...options,
      secureEndpoint: this.protocol === 'https:',
    });
  }

  override destroy(): void {
    for (const agent of [this.direct, ...this.agents.values()]) agent.destroy();
  }

  private takerOf({ host, port }: RequestOptions): HttpAgent {
    const name = host?.includes(':') ? `[${host}]` : host;
    const proxy = getProxyForUrl(`${this.protocol}//${name}${port ? `:${port}` : ''}`);
    if (proxy === '') return this.direct;
    if (!URL.canParse(proxy) || !/^https?:/i.test(proxy)) {
      throw new ProxyFault(proxy, 'cannot be used: it must begin with http:// or https://');
    }
    const agent = this.agents.get(proxy) ?? this.through(proxy);
    this.agents.set(proxy, agent);
    return agent;
  }
}

/** Plain HTTP, with the whole URL in the request (RFC 9112 §3.2.2). */
class Forwards extends HttpProxyAgent<string> {
  private readonly limits: Limits;

  constructor(proxy: string, settings: AgentOptions, timeoutMs: number) {
    super(proxy, settings);
    this.limits = { proxy, timeoutMs };
  }

  override connect(...[request, options]: Parameters<HttpProxyAgent<string>['connect']>): Promise<Socket> {
    return limited(this.limits, this.connectOpts, () => super.connect(request, options));
  }
}

/** Tunnels (CONNECT, RFC 9110 §9.3.6). */
class Tunnels extends HttpsProxyAgent<string> {
  private readonly limits: Limits;

  constructor(proxy: string, settings: AgentOptions, timeoutMs: number) {
    super(proxy, settings);
    this.limits = { proxy, timeoutMs };
  }

  override async connect(
    ...[request, options]: Parameters<HttpsProxyAgent<string>['connect']>
  ): Promise<Socket> {
    let status: number | undefined;
    request.once('proxyConnect', (answer: { statusCode: number }) => {
      status = answer.statusCode;
    });
    const socket = await limited(this.limits, this.connectOpts, () => super.connect(request, options));
    if (status === 200) return socket;
    // Without this, the refusal would be read as the answer of the host.
    socket.destroy();
    const advice = status === 407 ? ': put user and password into its address' : '';
    throw new ProxyFault(this.limits.proxy, `does not let the request through (HTTP ${status})${advice}`);
  }
}

interface Limits {
  readonly proxy: string;
  readonly timeoutMs: number;
}

/** Only closing its socket ends a silent proxy. The libraries read `signal` before their first await. */
async function limited(
  { proxy, timeoutMs }: Limits,
  connectOptions: { signal?: AbortSignal | undefined },
  connect: () => Promise<Socket>,
): Promise<Socket> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  connectOptions.signal = late.signal;
  try {
    return await connect();
  } catch (reason) {
    const what = late.signal.aborted
      ? `does not let the request through within ${timeoutMs} ms`
      : unreached(reason);
    throw new ProxyFault(proxy, what);
  } finally {
    clearTimeout(timer);
  }
}

function unreached(reason: unknown): string {
  const code = reason instanceof Error && 'code' in reason ? ` (${String(reason.code)})` : '';
  return `cannot be reached${code}, or breaks the connection off`;
}

function shown(proxy: string): string {
  return URL.canParse(proxy) && /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy)
    ? `${new URL(proxy).protocol}//${new URL(proxy).host}`
    : 'of the environment';
}
