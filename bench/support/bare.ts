import { fileURLToPath } from 'node:url';
import { NodeProcess } from './child-process.ts';

const program = fileURLToPath(new URL('./bare-server.ts', import.meta.url));

/** A running bare-server.ts. */
export interface BareServer {
  readonly address: string;
  readonly process: NodeProcess;
}

export async function startBare({ probed = false } = {}): Promise<BareServer> {
  const child = new NodeProcess([program], { probed });
  let port = '';
  await child.until((line) => {
    port = /^listening (\d+)$/.exec(line)?.[1] ?? '';
    return port !== '';
  });
  return { address: `127.0.0.1:${port}`, process: child };
}
