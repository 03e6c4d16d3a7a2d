import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { javaMajor } from '../../../src/demo/kafka/tools.ts';
import { ScalerError } from '../../../src/errors.ts';
import { installed, output, outputIfAny } from './installation.ts';
import type { SqsProgram } from './program.ts';

const pom = fileURLToPath(new URL('./elasticmq/pom.xml', import.meta.url));
const configuration = fileURLToPath(new URL('./elasticmq/server.conf', import.meta.url));
const leastJava = 17;

/** ElasticMQ: an SQS that knows nothing of moto, so that a fault both share is unlikely. */
export async function findElasticMq(): Promise<SqsProgram> {
  const java = await findJava();
  const directory = await installed('elasticmq', pom, async (into) => {
    if ((await outputIfAny('mvn', ['-version'])) === undefined) throw missing('Maven was not found', 'maven');
    console.error('Fetching ElasticMQ with Maven, once (37 MB) …');
    const jars = `-DoutputDirectory=${join(into, 'lib')}`;
    await output('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', jars]);
  });
  const jvm = ['-Xmx256m', '-XX:TieredStopAtLevel=1', `-Dconfig.file=${configuration}`];
  return {
    name: 'ElasticMQ',
    command: java,
    args: [...jvm, '-cp', join(directory, 'lib', '*'), 'org.elasticmq.server.Main'],
    listening: /bind address 127\.0\.0\.1:(\d+)/,
    account: '000000000000',
  };
}

async function findJava(): Promise<string> {
  const home = process.env['JAVA_HOME'];
  const java = home ? join(home, 'bin', 'java') : 'java';
  const major = javaMajor(await outputIfAny(java, ['-version']));
  if (major !== undefined && major >= leastJava) return java;
  throw missing(
    major === undefined ? 'Java was not found' : `Java is version ${major}`,
    'openjdk-17-jre-headless',
  );
}

function missing(what: string, debianPackage: string): ScalerError {
  return new ScalerError(
    'unavailable',
    `ElasticMQ needs Java ${leastJava} or later and Maven; ${what} (on Debian or Ubuntu: apt-get install ${debianPackage}).`,
  );
}
