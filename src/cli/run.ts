import { quote } from '../params/printable.ts';
import { didYouMean } from '../params/suggest.ts';
import { version } from '../version.ts';
import { missingOption, parseArguments } from './arguments.ts';
import { exitCode, type ListedCommand } from './command.ts';
import { commandUsage, overview } from './usage.ts';

/** Finds the command, reads its options, and runs it; resolves with the exit code. */
export async function runCommand(
  commands: readonly ListedCommand[],
  args: readonly string[],
): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) return refuse(overview(commands));
  if (name.startsWith('-')) return runWithout(commands, args);
  const listed = commands.find((one) => one.name === name);
  if (listed === undefined) {
    const known = commands.map((one) => one.name);
    return refuse(`unknown command ${quote(name)}${didYouMean(name, known)}; see backlog-scaler --help\n`);
  }
  const command = await listed.load();
  const parsed = parseArguments(rest, command.options);
  if ('fault' in parsed) return refuse(`${parsed.fault}; see backlog-scaler ${name} --help\n`);
  const { values } = parsed;
  if (values['help']) return say(commandUsage(command));
  if (values['version']) return say(`${version}\n`);
  const missing = missingOption(command.options, values);
  if (missing !== undefined) return refuse(`${missing}; see backlog-scaler ${name} --help\n`);
  return command.run(values);
}

/** `backlog-scaler --help`. */
function runWithout(commands: readonly ListedCommand[], args: readonly string[]): number {
  const parsed = parseArguments(args, {});
  if ('fault' in parsed) return refuse(`${parsed.fault}; see backlog-scaler --help\n`);
  return say(parsed.values['version'] ? `${version}\n` : overview(commands));
}

function say(text: string): number {
  process.stdout.write(text);
  return exitCode.ok;
}

function refuse(text: string): number {
  process.stderr.write(text);
  return exitCode.invalid;
}
