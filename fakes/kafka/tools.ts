import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ScalerError } from '../../src/errors.ts';

const run = promisify(execFile);
const leastJava = 17;

/** A Java runtime of at least version 17, from `JAVA_HOME` or the PATH. Throws ScalerError that says what to install. */
export async function findJava(): Promise<string> {
  const java = command('java');
  const major = javaMajor(await output(java, ['-version']));
  if (major !== undefined && major >= leastJava) return java;
  throw missing(
    major === undefined
      ? `Java ${leastJava} or later was not found`
      : `Java is version ${major}, ${leastJava} is needed`,
    'openjdk-17-jre-headless',
  );
}

/** The compiler of that runtime. Only broker statistics need it. */
export async function findJavaCompiler(): Promise<string> {
  const javac = command('javac');
  if ((await output(javac, ['-version'])) !== undefined) return javac;
  throw missing('the Java compiler was not found', 'openjdk-17-jdk-headless');
}

export async function findMaven(): Promise<string> {
  if ((await output('mvn', ['-version'])) !== undefined) return 'mvn';
  throw missing('Maven was not found', 'maven');
}

/** The major version in the output of `java -version`. `1.8.0` means 8. */
export function javaMajor(versionText: string | undefined): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(versionText ?? '');
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

function command(name: string): string {
  const home = process.env['JAVA_HOME'];
  return home ? join(home, 'bin', name) : name;
}

/** Both outputs of a command that succeeded, because `java -version` prints on standard error. */
async function output(file: string, args: string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(file, args);
    return stdout + stderr;
  } catch {
    return undefined;
  }
}

function missing(what: string, debianPackage: string): ScalerError {
  return new ScalerError(
    'unavailable',
    `A Kafka broker needs Java ${leastJava} and Maven; ${what} (on Debian or Ubuntu: apt-get install ${debianPackage}).`,
  );
}
