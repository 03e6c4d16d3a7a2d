import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { debianPackages } from './debian.ts';
import { ToolMissing } from './tool-missing.ts';

/** Paths of programs. */
export interface PrometheusTools {
  readonly prometheus: string;
  readonly promtool: string;
}

/** Prometheus from Debian's package. */
export async function prometheusTools(): Promise<PrometheusTools> {
  const programs = join(await debianPackages('prometheus', ['prometheus']), 'usr', 'bin');
  const found = { prometheus: join(programs, 'prometheus'), promtool: join(programs, 'promtool') };
  if (Object.values(found).every((path) => existsSync(path))) return found;
  throw new ToolMissing("Debian's package has no prometheus and promtool");
}
