import { stringify } from 'yaml';

/** JSON Schema as zod writes it. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** A mapping of keys to values. */
type ObjectSchema = Schema & { readonly properties: Readonly<Record<string, Schema>> };

export interface SchemaRow {
  readonly path: readonly string[];
  /** What it takes: names of types, and values as code. */
  readonly types: readonly string[];
  /** As YAML; '' for none. */
  readonly fallback: string;
  readonly isRequired: boolean;
  readonly doc: string;
}

/** A row for each key of a JSON schema. Nested keys have paths, lists `[]`. The members of a union share rows. */
export function schemaRows(schema: Schema, at: readonly string[] = []): SchemaRow[] {
  const objects = membersOf(schema).filter(isObject);
  const names = new Set(objects.flatMap(({ properties }) => Object.keys(properties)));
  return [...names].flatMap((name) => {
    const holders = objects.filter(({ properties }) => Object.hasOwn(properties, name));
    const nodes = holders.flatMap(({ properties }) => properties[name] ?? []);
    const [first] = nodes;
    if (first === undefined) return [];
    const path = [...at, name];
    const row = {
      path,
      types: [...new Set(nodes.flatMap(typesOf))],
      fallback: fallbackOf(first),
      isRequired: holders.every(({ required }) => required?.includes(name)),
      doc: [first.description, onlyWith(holders, objects)].filter(Boolean).join(' '),
    };
    return [
      row,
      ...(first.type === 'array'
        ? schemaRows(itemsOf(first), [...at, `${name}[]`])
        : schemaRows(first, path)),
    ];
  });
}

function isObject(node: Schema): node is ObjectSchema {
  return node.properties !== undefined;
}

function itemsOf({ items }: Schema): Schema {
  if (items === undefined) throw new Error('a list without a schema of its members');
  return items;
}

function membersOf(node: Schema): Schema[] {
  return (node.anyOf ?? node.oneOf ?? [node]).flatMap((member) =>
    member === node ? [node] : membersOf(member),
  );
}

const typeNames: Readonly<Record<string, string>> = {
  array: 'list',
  integer: 'number',
  object: 'mapping',
  string: 'text',
};

function typesOf(node: Schema): string[] {
  return membersOf(node).flatMap((member) => {
    if (member.const !== undefined) return [`\`${member.const}\``];
    if (member.enum !== undefined) return member.enum.map((value) => `\`${value}\``);
    const { type = 'text' } = member;
    return [typeNames[type] ?? type];
  });
}

function fallbackOf({ default: value }: Schema): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? stringify(value, { lineWidth: 0 }).trim() : JSON.stringify(value);
}

/** If only some members of a union have the key: which ones, by the value that distinguishes them. */
function onlyWith(holders: readonly ObjectSchema[], objects: readonly ObjectSchema[]): string {
  if (holders.length === objects.length) return '';
  const marks = holders.flatMap(({ properties }) =>
    Object.values(properties).flatMap((node) => (node.const === undefined ? [] : [`\`${node.const}\``])),
  );
  return `With ${[...new Set(marks)].join(', ')}.`;
}
