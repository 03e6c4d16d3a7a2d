import { Agent, createServer, request, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from '../../fakes/ports.ts';

/** Makes a server seem far away: requests reach it some time later. */
export class Distance {
  readonly url: string;
  private readonly server: Server;
  private readonly agent: Agent;

  static async to(url: string, delayMs: number): Promise<Distance> {
    const agent = new Agent({ keepAlive: true });
    const server = createServer(async (asked, answer) => {
      await sleep(delayMs);
      const { method, headers } = asked;
      const sent = request(`${url}${asked.url}`, { method, headers, agent }, (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      });
      sent.once('error', () => answer.destroy());
      asked.pipe(sent);
    });
    return new Distance(server, agent, await listen(server));
  }

  private constructor(server: Server, agent: Agent, port: number) {
    this.server = server;
    this.agent = agent;
    this.url = `http://127.0.0.1:${port}`;
  }

  async close(): Promise<void> {
    this.agent.destroy();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
