import { generateKeyPairSync } from 'node:crypto';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import { sources as allSources } from '../../src/sources/index.ts';
import type { AnySource } from '../../src/sources/source.ts';
import { makeCertificates } from './certificates.ts';

/** The paths of mounted secrets in examples. */
const mounted = /\/etc\/backlog-scaler[\w-]*\/[\w.-]+/g;

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
});

/** The content for a file of that name. */
export function contentOf(path: string): string {
  if (path.endsWith('private-key.pem')) return privateKey;
  if (path.endsWith('.creds')) return '-----BEGIN USER NKEY SEED-----';
  return path.endsWith('.crt') ? (rootCertificates[0] ?? '') : 'a-secret-that-nobody-knows';
}

/** Loads an example's configuration as `serve` does, with a file for each secret that it names. */
export async function loadExample(
  text: string,
  sources: readonly AnySource[] = allSources,
): Promise<LoadedConfig> {
  const folder = await mkdtemp(join(tmpdir(), 'backlog-scaler-example-'));
  try {
    const file = join(folder, 'backlog-scaler.yaml');
    await writeFile(
      file,
      text.replaceAll(mounted, (path) => join(folder, basename(path))),
    );
    for (const [path] of text.matchAll(mounted)) {
      await writeFile(join(folder, basename(path)), contentOf(path));
    }
    if (text.includes('/user.key')) {
      const { client } = makeCertificates(folder);
      await copyFile(client.cert, join(folder, 'user.crt'));
      await copyFile(client.key, join(folder, 'user.key'));
    }
    const result = await loadConfig(file, { environment: {}, sources });
    if (result.kind === 'refused') throw new Error(result.faults.map(({ message }) => message).join('\n'));
    return result.config;
  } finally {
    await rm(folder, { recursive: true });
  }
}
