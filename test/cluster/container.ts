import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';
import { isMapping } from '../../src/config/document.ts';
import { at, type Manifest } from '../chart/helm.ts';
import { imageEnvironment, imageNodeOptions } from '../container/image-environment.ts';
import type { Api } from './api.ts';
import { Program } from './program.ts';

const image = fileURLToPath(new URL('../../', import.meta.url));
/** Every mount of the chart begins like this. */
const mountPath = /(?<![\w/-])\/(etc|var\/lib)\/backlog-scaler/g;
const dns = /[\w-]+\.[\w-]+\.svc\.cluster\.local/g;

interface Make {
  readonly api: Api;
  /** The image's Node.js. */
  readonly node: string;
  /** The folder with the container's view of the file system. */
  readonly root: string;
  /** The pod's address. */
  readonly address: string;
}

/**
 * Starts the first container of a scaler's pod as a process: with its command and arguments, its own environment only,
 * and the files of its ConfigMaps and Secrets. The paths of its mounts are below `root`. Names of Services become the
 * pod's own address.
 */
export async function startContainer(pod: Manifest, { api, node, root, address }: Make): Promise<Program> {
  const container = at(pod, 'spec', 'containers', 0);
  const here = (text: string) => text.replaceAll(mountPath, `${root}$&`);
  for (const mount of list(at(container, 'volumeMounts'))) {
    const volume = list(at(pod, 'spec', 'volumes')).find((one) => at(one, 'name') === at(mount, 'name'));
    const folder = join(root, String(at(mount, 'mountPath')));
    await mkdir(folder, { recursive: true });
    for (const [name, content] of await filesOf(api, String(at(pod, 'metadata', 'namespace')), volume)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      const own = name === 'config.yaml' ? listeningAt(address, here(content.toString())) : content;
      await writeFile(join(folder, name), own);
    }
  }
  const args = list(at(container, 'args')).map((arg) => here(String(arg)).replaceAll(dns, address));
  const entry =
    at(container, 'command') === undefined ? [...imageNodeOptions(), join(image, 'dist', 'main.js')] : [];
  const own = list(at(container, 'env')).map((one) => [String(at(one, 'name')), String(at(one, 'value'))]);
  const env = {
    NODE_ENV: 'production',
    ...imageEnvironment(),
    ...Object.fromEntries(own),
  };
  const logFile = join(root, 'log');
  return new Program({ command: node, args: [...entry, ...args], env, logFile, cwd: image });
}

/** A pod has an address of its own, so its servers must not listen on the machine's. */
function listeningAt(address: string, text: string): string {
  const config = parseDocument(text);
  for (const server of ['grpc', 'admin', 'ingest']) config.setIn([server, 'host'], address);
  return config.toString();
}

async function filesOf(api: Api, namespace: string, volume: unknown): Promise<Map<string, Buffer>> {
  const configMap = at(volume, 'configMap', 'name');
  if (configMap !== undefined) {
    const data = at(await api.get(`/api/v1/namespaces/${namespace}/configmaps/${configMap}`), 'data');
    return new Map(entries(data).map(([name, text]) => [name, Buffer.from(text)]));
  }
  const secret = at(volume, 'secret', 'secretName');
  if (secret === undefined) return new Map();
  const data = at(await api.get(`/api/v1/namespaces/${namespace}/secrets/${secret}`), 'data');
  const items = list(at(volume, 'secret', 'items'));
  const all = entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64')] as const);
  if (items.length === 0) return new Map(all);
  const content = new Map(all);
  return new Map(
    items.map((item) => [String(at(item, 'path')), content.get(String(at(item, 'key'))) ?? Buffer.alloc(0)]),
  );
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function entries(data: unknown): [string, string][] {
  return isMapping(data) ? Object.entries(data).map(([key, value]) => [key, String(value)]) : [];
}
