import { fileURLToPath } from 'node:url';
import { schemaFolder } from '../../chart/schemas.ts';
import { findPrograms } from '../../cluster/programs.ts';
import { buildClient } from '../../keda/build-client.ts';
import { registerModule } from '../../tracing/auto-instrumentations.ts';
import { findElasticMq } from '../sqs/elasticmq.ts';
import { findMoto } from '../sqs/moto.ts';
import { buildah } from './buildah.ts';
import { chromium } from './chromium.ts';
import { goTool } from './go.ts';
import { findKafka } from './kafka.ts';
import { npmPackage } from './npm-package.ts';
import { prometheusTools } from './prometheus.ts';
import { run } from './run.ts';

/**
 * Everything that tests need from outside of `node_modules`, and how to make it, once for each version. It is set up
 * before the first test (set-up.ts). In tests `tool` returns the result, which is cloned into their processes.
 */
export const toolbox = {
  'built-command': buildCommand,
  'kafka-broker': () => findKafka(),
  'kafka-stats': () => findKafka({ stats: true }),
  moto: findMoto,
  elasticmq: findElasticMq,
  'keda-client': buildClient,
  'helm-3': () => goTool('helm-3'),
  'helm-4': () => goTool('helm-4'),
  'helm-unittest': () => goTool('helm-unittest'),
  kubeconform: () => goTool('kubeconform'),
  'nats-server': () => goTool('nats-server'),
  'helm-docs': () => goTool('helm-docs'),
  'kubernetes-schemas': schemaFolder,
  prometheus: prometheusTools,
  buildah,
  chromium,
  // The major version of npm in Node 24.
  npm: () => npmPackage('npm', '11.21.2'),
  'auto-instrumentations': registerModule,
  'cluster-programs': findPrograms,
};

export type Toolbox = typeof toolbox;
export type ToolName = keyof Toolbox;
export type ToolOf<Name extends ToolName> = Awaited<ReturnType<Toolbox[Name]>>;

/** The result of a set-up: the tool, or why it does not exist. Installing would not help against `forbidden`. */
export type Outcome<T = unknown> =
  | { readonly kind: 'found'; readonly tool: T }
  | { readonly kind: 'missing' | 'forbidden' | 'failed'; readonly reason: string };

/** `dist`, as in the image. */
async function buildCommand(): Promise<string> {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  await run('npm', ['run', '-s', 'build'], { cwd: root, doing: 'building the command' });
  return `${root}dist/main.js`;
}
