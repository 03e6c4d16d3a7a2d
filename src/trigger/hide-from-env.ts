import type { Given } from '../params/parse.ts';

const QUOTED = /"(?:[^"\\]|\\.)*"/g;

/**
 * A message about a trigger without what came from the workload's environment, which may be a secret. Values are
 * quoted in messages, whole or a part of them, and may be cut.
 */
export function hideFromEnv(message: string, given: Iterable<Given>): string {
  const hidden = [...given]
    .filter(({ key }) => key.endsWith('FromEnv'))
    .map(({ value }) => value.toLowerCase());
  if (hidden.length === 0) return message;
  return message.replace(QUOTED, (quoted) => {
    const text = quotedText(quoted).toLowerCase();
    const isPart = text !== '' && hidden.some((value) => value.includes(text));
    return isPart ? '(a value from the environment)' : quoted;
  });
}

/** What is between the quotes, as it was before `quote` wrote it as JSON. */
function quotedText(quoted: string): string {
  try {
    return String(JSON.parse(quoted)).replace(/…$/, '');
  } catch {
    return quoted.slice(1, -1);
  }
}
