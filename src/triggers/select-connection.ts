import { matchesGlob } from '../params/glob.ts';
import type { Given } from '../params/parse.ts';
import { didYouMean } from '../params/suggest.ts';
import { quote } from '../printable.ts';
import type { AnySource, ConfiguredConnection } from '../sources/source.ts';

export type Selection =
  | { kind: 'selected'; connection: ConfiguredConnection; faults: string[] }
  | { kind: 'none'; faults: string[] }
  | { kind: 'denied'; message: string };

interface Question {
  source: AnySource;
  namespace: string;
  /** The trigger's `connection`, '' when it has none. */
  named: string;
  given: ReadonlyMap<string, Given>;
  connections: ReadonlyMap<string, ConfiguredConnection>;
}

/**
 * Finds the connection of a trigger: by its name; else by an endpoint key; else the only one there is. A
 * trigger can never bring an address of its own: credentials stay with their connection (KEDA issue 7782).
 */
export function selectConnection(question: Question): Selection {
  const { source, namespace, named, given, connections } = question;
  const allowed = [...connections.values()].filter(
    (connection) => connection.source.kind === source.kind && allows(connection, namespace),
  );
  if (named !== '') return byName(question, allowed);

  const selectors = [...given].filter(([key]) => source.connectionKeys[key]?.selects);
  const matching = allowed.filter((connection) =>
    selectors.every(([key, { value }]) => agrees(connection, key, value)),
  );
  const [only, second] = matching;
  if (only && !second) return { kind: 'selected', connection: only, faults: disagreements(only, given) };

  const asked = selectors.map(([key, { value }]) => `${key} ${quote(value)}`).join(', ');
  const where = `of source ${source.kind} that namespace ${quote(namespace)} may use`;
  if (only) {
    return none(
      `connection: must be named, ${matching.length} fit${asked ? ` ${asked}` : ''}: ${names(matching)}`,
    );
  }
  if (allowed.length === 0)
    return none(`connection: there is no connection ${where}; add one to the configuration`);
  return none(`connection: no connection ${where} has ${asked}; there are: ${names(allowed)}`);
}

function byName(
  { source, namespace, named, given, connections }: Question,
  allowed: ConfiguredConnection[],
): Selection {
  const connection = connections.get(named);
  if (connection && !allows(connection, namespace)) {
    const message = `connection ${quote(named)} may not be used from namespace ${quote(namespace)}; its \`namespaces\` in the configuration decide`;
    return { kind: 'denied', message };
  }
  if (!connection) {
    const known = allowed.map(({ name }) => name);
    const there =
      known.length === 0
        ? `namespace ${quote(namespace)} may use none of source ${source.kind}`
        : `there are: ${someOf(known)}`;
    return none(`connection: ${quote(named)} is not configured${didYouMean(named, known)}; ${there}`);
  }
  if (connection.source.kind !== source.kind) {
    return none(
      `connection: ${quote(named)} is of source ${connection.source.kind}, the trigger's is ${source.kind}`,
    );
  }
  return { kind: 'selected', connection, faults: disagreements(connection, given) };
}

function agrees({ source, config }: ConfiguredConnection, key: string, value: string): boolean {
  return source.connectionKeys[key]?.agrees?.(config, value) ?? true;
}

function disagreements(connection: ConfiguredConnection, given: ReadonlyMap<string, Given>): string[] {
  return (
    [...given]
      // Where a parameter picks the connection too, the source's own `conflict` says what is wrong with it.
      .filter(([key, { value }]) => !isParameter(connection, key) && !agrees(connection, key, value))
      .map(([name, { key }]) => {
        const expected = connection.source.connectionKeys[name]?.expected?.(connection.config);
        const spelt = expected === undefined ? '' : ` (${expected})`;
        return `${key}: is not what connection ${quote(connection.name)} has${spelt}; leave it out or name another connection`;
      })
  );
}

function isParameter({ source }: ConfiguredConnection, key: string): boolean {
  return Object.hasOwn(source.params.table, key);
}

function none(fault: string): Selection {
  return { kind: 'none', faults: [fault] };
}

function names(connections: readonly ConfiguredConnection[]): string {
  return someOf(connections.map(({ name }) => name));
}

const shownNames = 20;

function someOf(names: readonly string[]): string {
  const more = names.length - shownNames;
  return more > 0 ? `${names.slice(0, shownNames).join(', ')} and ${more} more` : names.join(', ');
}

/** Whether a namespace may use a connection, by its patterns. */
export function allows({ namespaces }: ConfiguredConnection, namespace: string): boolean {
  return namespaces.some((pattern) => matchesGlob(pattern, namespace));
}
