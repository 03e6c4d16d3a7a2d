import type { FakeGitHub } from '../../../fakes/github/fake-github.ts';
import type { Exchange } from '../../../fakes/github/rest/server.ts';
import { basicError, type Compiled, operations } from './schemas.ts';

/** Statuses that any request may get. GitHub describes them in prose, for all operations at once. */
const general = new Set([301, 304, 401, 403, 404, 429, 500, 502, 503]);

export interface Oracle {
  /** Violations of GitHub's description, one line each. */
  readonly violations: string[];
  /** The requested operations, such as `GET /rate_limit`. */
  readonly seen: ReadonlySet<string>;
  stop(): void;
}

/**
 * Checks every request to this GitHub, and every answer, by GitHub's published description. Paths from `Link` and
 * `Location` are not in the description. They are checked as the operation whose answer led to them.
 */
export function withOracle(github: FakeGitHub): Oracle {
  const violations: string[] = [];
  const seen = new Set<string>();
  const led = new Map<string, Compiled>();
  const stop = github.observe((exchange) => {
    const line = `${exchange.method} ${exchange.path}`;
    const found = operations.find(({ path }) => path.test(line));
    const operation = found ?? led.get(line);
    if (operation === undefined) {
      violations.push(`${line}: not in GitHub's description`);
      return;
    }
    seen.add(operation.operation);
    const { link, location = link === undefined ? undefined : linked(link) } = exchange;
    if (location !== undefined) led.set(`GET ${pathBelow(github.url, location)}`, operation);
    const faults = [
      ...requestFaults(exchange, operation, found !== undefined),
      ...answerFaults(exchange, operation),
    ];
    for (const fault of faults) violations.push(`${line}: ${fault}`);
  });
  return { violations, seen, stop: () => void stop() };
}

function linked(link: string): string {
  return /<([^>]+)>/.exec(link)?.[1] ?? '';
}

function pathBelow(base: string, address: string): string {
  return new URL(address).pathname.slice(new URL(base).pathname.replace(/\/$/, '').length);
}

function* requestFaults(exchange: Exchange, operation: Compiled, byName: boolean): Generator<string> {
  const groups = operation.path.exec(`${exchange.method} ${exchange.path}`)?.groups ?? {};
  const given = new Map([...Object.entries(groups), ...exchange.query]);
  for (const [name, value] of given) {
    const check = operation.parameters.get(name);
    const fault = check === undefined ? 'is unknown' : check(value);
    if (fault !== undefined) yield `parameter ${name} ("${value}") ${fault.trim()}`;
  }
  // A path with IDs names required parameters in another way.
  for (const name of byName ? operation.required : [])
    if (!given.has(name)) yield `parameter ${name} is missing`;
}

function* answerFaults({ statusCode, text }: Exchange, operation: Compiled): Generator<string> {
  const check = operation.responses.get(String(statusCode));
  if (check === undefined && !general.has(statusCode)) yield `the answer ${statusCode} is unknown`;
  if (text === '' && statusCode !== 304) yield `the answer ${statusCode} has no body`;
  if (text === '') return;
  const body = parsed(text);
  if (body === undefined) return yield `the answer ${statusCode} is no JSON`;
  const judge = check ?? (general.has(statusCode) ? basicError : undefined);
  const fault = judge?.(body);
  if (fault !== undefined) yield `the answer ${statusCode} is not as described: ${fault.trim()}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
