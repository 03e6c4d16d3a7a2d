import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Environment } from '../../src/config/document.ts';
import { type Loaded, type LoadedConfig, type LoadResult, loadConfig } from '../../src/config/load.ts';
import { kafkaConfig } from '../../src/sources/kafka/config.ts';
import type { AnySource } from '../../src/sources/source.ts';
import { hintSource } from './hint-source.ts';

const placeConfig = z.strictObject({
  address: z.string().min(1),
  port: z.number().int().min(1).optional(),
  password: z.string().min(1).optional(),
  tls: z
    .union([
      z.literal(true),
      z.strictObject({ ca: z.string().optional(), verify: z.boolean().default(true) }),
    ])
    .optional(),
});

/** Sources of which only the connections' settings matter here. */
const place: AnySource = {
  ...hintSource,
  kind: 'place',
  place: (config) => ({ addresses: [placeConfig.parse(config).address] }),
  local: ['port'],
  config: placeConfig,
  files: { password: 'secret', ca: 'open', token: 'secret' },
  sendsSecretInPlaintext: (config) => {
    const { password, tls } = placeConfig.parse(config);
    return password === 'open sesame' && tls === undefined;
  },
};
const kafkaLike: AnySource = {
  ...hintSource,
  kind: 'kafka',
  config: kafkaConfig,
  files: { password: 'secret' },
};

/** A folder with a configuration file, and the files that it names. */
export class ConfigFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<ConfigFolder> {
    return new ConfigFolder(await mkdtemp(join(tmpdir(), 'backlog-scaler-config-')));
  }

  get file(): string {
    return join(this.path, 'config.yaml');
  }

  async write(name: string, content: string | Uint8Array): Promise<void> {
    await writeFile(join(this.path, name), content);
  }

  load(environment: Environment = {}): Promise<LoadResult> {
    return loadConfig(this.file, { environment, sources: [place, kafkaLike] });
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true });
  }
}

export function loaded(result: LoadResult): LoadedConfig & Pick<Loaded, 'start' | 'guards'> {
  const { config, start, guards } = usable(result);
  return { ...config, start, guards };
}

export function usable(result: LoadResult): Loaded {
  if (result.kind === 'refused') throw new Error(result.faults.map(({ message }) => message).join('\n'));
  return result;
}

export function faultsOf(result: LoadResult): readonly string[] {
  return result.kind === 'refused' ? result.faults.map(({ message }) => message) : [];
}
