import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { javaMajor } from '../../../fakes/kafka/tools.ts';
import { cached, versionOf } from '../tools/cached.ts';
import { run } from '../tools/run.ts';
import { ToolMissing } from '../tools/tool-missing.ts';
import type { SqsProgram } from './program.ts';

const pom = fileURLToPath(new URL('./elasticmq/pom.xml', import.meta.url));
const configuration = fileURLToPath(new URL('./elasticmq/server.conf', import.meta.url));
const leastJava = 17;

/** ElasticMQ: an SQS that shares nothing with moto, so that a fault of both is unlikely. */
export async function findElasticMq(): Promise<SqsProgram> {
  const java = await findJava();
  const jars = await cached({ name: 'elasticmq', version: versionOf([pom]) }, async (unfinished) => {
    const doing = 'fetching ElasticMQ (37 MB) with Maven';
    const args = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${unfinished}`];
    await run('mvn', args, { doing });
  });
  const jvm = ['-Xmx256m', '-XX:TieredStopAtLevel=1', `-Dconfig.file=${configuration}`];
  return {
    name: 'ElasticMQ',
    command: java,
    args: [...jvm, '-cp', join(jars, '*'), 'org.elasticmq.server.Main'],
    listening: /bind address 127\.0\.0\.1:(\d+)/,
    account: '000000000000',
  };
}

async function findJava(): Promise<string> {
  const home = process.env['JAVA_HOME'];
  const java = home ? join(home, 'bin', 'java') : 'java';
  const printed = await promisify(execFile)(java, ['-version']).catch(() => undefined);
  const major = javaMajor(printed?.stderr);
  if (major !== undefined && major >= leastJava) return java;
  const found = major === undefined ? 'Java was not found' : `Java is version ${major}`;
  throw new ToolMissing(
    `ElasticMQ needs Java ${leastJava} or later and Maven; ${found} (on Debian or Ubuntu: apt-get install maven openjdk-17-jre-headless).`,
  );
}
