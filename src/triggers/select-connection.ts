import { matchesGlob } from '../params/glob.ts';
import type { Given } from '../params/parse.ts';
import { didYouMean } from '../params/suggest.ts';
import { quote } from '../printable.ts';
import type { AnySource, ConfiguredConnection, NamedConnection } from '../sources/source.ts';

type Refusal = { kind: 'none'; faults: string[] } | { kind: 'denied'; message: string };

export type Selection = { kind: 'selected'; connection: ConfiguredConnection; faults: string[] } | Refusal;

interface Question<Connection extends NamedConnection = ConfiguredConnection> {
  source: AnySource;
  namespace: string;
  /** The trigger's `connection`, '' when it has none. */
  named: string;
  given: ReadonlyMap<string, Given>;
  connections: ReadonlyMap<string, Connection>;
}

/**
 * Finds the connection of a trigger by its name, then by an endpoint key, then the only possible one. A trigger can never
 * bring its own address: credentials stay with their connection (KEDA issue 7782).
 */
export function selectConnection(question: Question): Selection {
  const { source, namespace, named, given } = question;
  const allowed = allowedOf(question);
  if (named !== '') {
    const found = byName(question, allowed);
    if (found.kind !== 'named') return found;
    return {
      kind: 'selected',
      connection: found.connection,
      faults: disagreements(found.connection, given),
    };
  }

  const selectors = selectorsIn(question);
  const matching = allowed.filter((connection) =>
    selectors.every(([key, { value }]) => agrees(connection, key, value)),
  );
  const [only, second] = matching;
  if (only && !second) return { kind: 'selected', connection: only, faults: disagreements(only, given) };

  const asked = selectors.map(([key, { value }]) => `${key} ${quote(value)}`).join(', ');
  if (only) return several(matching, asked === '' ? '' : ` ${asked}`);
  if (allowed.length === 0) return noneOf(question);
  return none(
    `connection: no connection of source ${source.kind} that namespace ${quote(namespace)} may use has ${asked}; there are: ${names(allowed)}`,
  );
}

/** What the names, sources and namespaces of connections alone have against a trigger; undefined where it is nothing. */
export function refusalByName(question: Question<NamedConnection>): Refusal | undefined {
  const allowed = allowedOf(question);
  if (question.named !== '') {
    const found = byName(question, allowed);
    return found.kind === 'named' ? undefined : found;
  }
  if (allowed.length === 0) return noneOf(question);
  // Which one an endpoint key means, only settings say.
  return allowed.length === 1 || selectorsIn(question).length > 0 ? undefined : several(allowed, '');
}

function allowedOf<Connection extends NamedConnection>({
  source,
  namespace,
  connections,
}: Question<Connection>): Connection[] {
  return [...connections.values()].filter(
    (connection) => connection.source.kind === source.kind && allows(connection, namespace),
  );
}

function selectorsIn({ source, given }: Question<NamedConnection>): [string, Given][] {
  return [...given].filter(([key]) => source.connectionKeys[key]?.selects);
}

function several(fitting: readonly NamedConnection[], asked: string): Refusal {
  return none(`connection: must be named, ${fitting.length} fit${asked}: ${names(fitting)}`);
}

function noneOf({ source, namespace }: Question<NamedConnection>): Refusal {
  return none(
    `connection: there is no connection of source ${source.kind} that namespace ${quote(namespace)} may use; add one to the configuration`,
  );
}

function byName<Connection extends NamedConnection>(
  { source, namespace, named, connections }: Question<Connection>,
  allowed: readonly Connection[],
): { kind: 'named'; connection: Connection } | Refusal {
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
  return { kind: 'named', connection };
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

function none(fault: string): Refusal {
  return { kind: 'none', faults: [fault] };
}

function names(connections: readonly NamedConnection[]): string {
  return someOf(connections.map(({ name }) => name));
}

const shownNames = 20;

function someOf(names: readonly string[]): string {
  const more = names.length - shownNames;
  return more > 0 ? `${names.slice(0, shownNames).join(', ')} and ${more} more` : names.join(', ');
}

/** Whether a namespace may use a connection, by its patterns. */
export function allows({ namespaces }: NamedConnection, namespace: string): boolean {
  return namespaces.some((pattern) => matchesGlob(pattern, namespace));
}
