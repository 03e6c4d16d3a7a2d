import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ScalerError } from '../../src/errors.ts';
import { cacheDirectory, locked } from './cache.ts';
import { findJava, findJavaCompiler, findMaven } from './tools.ts';

const run = promisify(execFile);

/** The folder of pom.xml and the Java code: this one. */
const assets = fileURLToPath(new URL('.', import.meta.url));

/** A Kafka to start: the Java runtime, and the jars of the pinned version. */
export interface Distribution {
  readonly java: string;
  readonly classpath: string;
  readonly loggingFile: string;
}

/** Gets a line about what takes time. */
export type Progress = (line: string) => void;

/**
 * Finds Java and the Kafka jars. The first time, Maven fetches them. Throws ScalerError `unavailable`, which says what
 * to install. Safe to call from many processes at once.
 */
export async function findDistribution(progress: Progress): Promise<Distribution> {
  const java = await findJava();
  const cache = await kafkaCache();
  const known = await cachedClasspath(cache);
  const classpath =
    known ??
    (await locked(cache, async () => (await cachedClasspath(cache)) ?? (await fetchJars(cache, progress))));
  return { java, classpath, loggingFile: join(assets, 'log4j2.properties') };
}

/** The distribution with our `KafkaStats` in front of the broker, compiled once. Needs a JDK. */
export async function withStats(distribution: Distribution): Promise<Distribution> {
  const source = join(assets, 'KafkaStats.java');
  const cache = await kafkaCache();
  const classes = join(cache, `stats-${digest(await readFile(source))}`);
  if (!existsSync(classes)) {
    await locked(cache, async () => {
      if (!existsSync(classes)) await compile(source, classes, distribution.classpath);
    });
  }
  return { ...distribution, classpath: classes + delimiter + distribution.classpath };
}

async function kafkaCache(): Promise<string> {
  return cacheDirectory(digest(await readFile(join(assets, 'pom.xml'))));
}

async function cachedClasspath(cache: string): Promise<string | undefined> {
  const file = join(cache, 'classpath.txt');
  if (!existsSync(file)) return undefined;
  const classpath = (await readFile(file, 'utf8')).trim();
  return classpath !== '' && classpath.split(delimiter).every((jar) => existsSync(jar))
    ? classpath
    : undefined;
}

async function fetchJars(cache: string, progress: Progress): Promise<string> {
  const maven = await findMaven();
  progress('Fetching Kafka with Maven, once (45 MB) …');
  const partial = join(cache, 'classpath.partial');
  const pom = join(assets, 'pom.xml');
  try {
    await run(maven, ['-q', '-B', '-f', pom, 'dependency:build-classpath', `-Dmdep.outputFile=${partial}`]);
  } catch (error) {
    throw new ScalerError('unavailable', `Maven could not fetch Kafka: ${mavenFault(error)}`, {
      cause: error,
    });
  }
  await rename(partial, join(cache, 'classpath.txt'));
  const classpath = await cachedClasspath(cache);
  if (classpath === undefined)
    throw new ScalerError('unavailable', `Maven left no usable classpath in ${cache}.`);
  return classpath;
}

async function compile(source: string, classes: string, classpath: string): Promise<void> {
  const javac = await findJavaCompiler();
  const partial = `${classes}.partial`;
  await mkdir(partial, { recursive: true });
  await run(javac, ['-cp', classpath, '-d', partial, source]);
  await rename(partial, classes);
}

/** Maven prints its reason on standard output. It is the first line with ERROR. */
function mavenFault(error: unknown): string {
  const printed = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
  const line = printed.split('\n').find((text) => text.includes('ERROR'));
  return line?.replace(/^.*?ERROR\W*/, '') ?? String(error);
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12);
}
