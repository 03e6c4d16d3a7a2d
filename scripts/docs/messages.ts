import { readdirSync, readFileSync } from 'node:fs';
import { parseSync } from '@swc/core';

/** A message in the code, with `…` in place of a value. */
export interface Message {
  /** ScalerError's code, `info`, `warn` or `error` for a log line, or `configuration` for a fault of the configuration. */
  readonly code: string;
  readonly text: string;
  /** Below src. */
  readonly file: string;
}

/** A node of swc, as far as this reads them. */
interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

interface Fn {
  readonly name: string | undefined;
  readonly params: readonly (string | undefined)[];
}

/** An expression and the functions around it, the innermost last. */
interface Placed {
  readonly node: Node;
  readonly within: readonly Fn[];
}

const hole = '…';
/** The most texts that an expression with several variable parts may have. Beyond it, a part becomes a hole. */
const mostTexts = 200;
const src = new URL('../../src/', import.meta.url);

/** Every message for users in the code, by file. Reads the syntax of `root`, and runs nothing. */
export function messagesIn(root = src): Message[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/generated|admin\/page\//.test(name))
    .sort();
  const modules = files.map((file) => new Module(file, readFileSync(new URL(file, root), 'utf8')));
  const shared: Shared = {
    constants: new Map(modules.flatMap(({ exported }) => [...exported])),
    results: new Map(modules.flatMap(({ results }) => [...results])),
  };
  // Our own faults have no remedy, and their messages are only logged.
  const found = modules
    .flatMap((one) => one.messages(shared))
    .filter(({ code, text }) => code !== 'internal' && hasWords(text));
  return found.filter((one, i) => !found.some((other, j) => covers(other, one, j < i)));
}

/** Whether the first message is a more general form of the second, or equals it and comes `earlier`. */
function covers(general: Message, special: Message, earlier: boolean): boolean {
  if (general.file !== special.file || general.code !== special.code) return false;
  if (general.text === special.text) return earlier;
  if (words(general.text) < 3) return false;
  const parts = general.text.split(hole).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.{0,30}')}$`).test(special.text);
}

/** Whether it says anything without its values. */
function hasWords(text: string): boolean {
  return words(text) >= 3 || (words(text) === 2 && !/(^|\s)…$/.test(text)) || text.startsWith('the file ');
}

function words(text: string): number {
  return text.match(/[a-z]{2,}/gi)?.length ?? 0;
}

/** What files may use from others, by name. */
interface Shared {
  readonly constants: ReadonlyMap<string, Placed[]>;
  readonly results: ReadonlyMap<string, Placed[]>;
}

class Module {
  readonly exported = new Map<string, Placed[]>();
  readonly results = new Map<string, Placed[]>();
  private readonly constants = new Map<string, Placed[]>();
  private readonly file: string;
  private readonly roots: (Placed & { code: string })[] = [];
  private readonly calls = new Map<
    string,
    { args: readonly (Node | undefined)[]; within: readonly Fn[] }[]
  >();
  private readonly imported = new Set<string>();
  private shared: Shared = { constants: new Map(), results: new Map() };

  constructor(file: string, text: string) {
    this.file = file;
    this.visit(parseSync(text, { syntax: 'typescript', target: 'esnext' }).body, []);
  }

  messages(shared: Shared): Message[] {
    this.shared = shared;
    return this.roots.flatMap((root) =>
      this.texts(root).map((text) => ({
        code: root.code,
        text: text.replaceAll(/\s+/g, ' ').replaceAll(/…+/g, hole),
        file: this.file,
      })),
    );
  }

  private visit(value: unknown, within: readonly Fn[]): void {
    if (Array.isArray(value)) for (const one of value) this.visit(one, within);
    else if (typeof value === 'object' && value !== null) {
      const node = value as Node;
      this.note(node, within);
      if (node.type === 'ExportDeclaration') this.export(node);
      if (node.type === 'ImportSpecifier') this.imported.add(nameOf(node['local']) ?? '');
      const fn = functionOf(node);
      const inner = fn === undefined ? within : [...within, fn];
      const { body } = fn ?? {};
      if (body !== undefined && body.type !== 'BlockStatement') this.result({ node: body, within: inner });
      for (const child of Object.values(node)) this.visit(child, inner);
    }
  }

  private result(placed: Placed): void {
    const name = placed.within.at(-1)?.name;
    if (name !== undefined) push(this.results, name, placed);
  }

  private export({ declaration }: Node): void {
    const declared = isNode(declaration) ? declaration['declarations'] : undefined;
    for (const { id, init } of Array.isArray(declared) ? declared : []) {
      const name = nameOf(id);
      if (name !== undefined && isNode(init)) push(this.exported, name, { node: init, within: [] });
    }
  }

  /** The constants of a name that are visible at a place: those of its own file, and exported ones of others. */
  private constant(name: string, within: readonly Fn[]): Placed[] {
    const seen = (this.constants.get(name) ?? []).filter((one) =>
      one.within.every((fn, i) => fn === within[i]),
    );
    if (seen.length > 0 || !this.imported.has(name)) return seen;
    return this.shared.constants.get(name) ?? [];
  }

  private note(node: Node, within: readonly Fn[]): void {
    const name = nameOf(node['id']);
    if (node.type === 'VariableDeclarator' && name !== undefined && isNode(node['init']))
      push(this.constants, name, { node: node['init'], within });
    if (node.type === 'ReturnStatement' && isNode(node['argument']))
      this.result({ node: node['argument'], within });
    if (isText(node) && within.some((fn) => faultsOf.test(fn.name ?? '')))
      this.roots.push({ code: 'invalid', node, within });
    if (
      node.type === 'KeyValueProperty' &&
      isNode(node['value']) &&
      nameOf(node['key']) === 'message' &&
      /config/.test(this.file)
    )
      this.roots.push({ code: 'configuration', node: node['value'], within });
    if (node.type === 'ObjectExpression') this.denial(node, within);
    if (node.type === 'CallExpression' || node.type === 'NewExpression') {
      const args = argumentsOf(node);
      const callee = calleeOf(node);
      if (callee !== undefined) push(this.calls, callee.name, { args, within });
      for (const said of callee === undefined ? [] : saidBy(callee, args, this.file))
        this.roots.push({ ...said, within });
    }
  }

  /** `{ kind: 'denied', message }`. */
  private denial(node: Node, within: readonly Fn[]): void {
    const properties = Array.isArray(node['properties']) ? node['properties'] : [];
    const isDenial = properties.some(
      ({ key, value }) => nameOf(key) === 'kind' && isNode(value) && value['value'] === 'denied',
    );
    const message = properties.find((one) => nameOf(one) === 'message');
    if (isDenial && isNode(message)) this.roots.push({ code: 'denied', node: message, within });
  }

  /** Every text that an expression can have. */
  private texts({ node, within }: Placed, depth = 0): string[] {
    if (depth > 15) return [hole];
    const of = (inner: unknown): string[] =>
      isNode(inner) ? this.texts({ node: inner, within }, depth + 1) : [hole];
    const all = (placed: readonly Placed[] | undefined): string[] =>
      placed === undefined || placed.length === 0
        ? [hole]
        : [...new Set(placed.flatMap((one) => this.texts(one, depth + 1)))];
    switch (node.type) {
      case 'StringLiteral':
        return [String(node['value'])];
      case 'TemplateLiteral':
        return template(node, of);
      case 'BinaryExpression':
        if (node['operator'] === '+') return joined(of(node['left']), of(node['right']));
        return ['??', '||'].includes(String(node['operator']))
          ? [...of(node['left']), ...of(node['right'])]
          : [hole];
      case 'ConditionalExpression':
        return [...of(node['consequent']), ...of(node['alternate'])];
      case 'ParenthesisExpression':
      case 'TsAsExpression':
        return of(node['expression']);
      case 'Identifier': {
        const name = String(node['value']);
        return this.given(name, within, depth) ?? all(this.constant(name, within));
      }
      case 'MemberExpression': {
        if (isNode(node['object']) && node['object'].type === 'CallExpression') return of(node['object']);
        const name = nameOf(node['object']) ?? '';
        return all(
          this.constant(name, within).flatMap((table) => this.entries(table, nameOf(node['property']))),
        );
      }
      case 'OptionalChainingExpression':
        return of(node['base']);
      case 'CallExpression': {
        const { name, object } = calleeOf(node) ?? { name: '', object: '' };
        // An entry of a list: any of them.
        if (name === 'find')
          return all(this.constant(object, within).flatMap((list) => this.entries(list, undefined)));
        return all(
          this.results.get(name) ?? (this.imported.has(name) ? this.shared.results.get(name) : undefined),
        );
      }
      default:
        return [hole];
    }
  }

  /** The entries of a table, including spread ones. */
  private entries(table: Placed, name: string | undefined): Placed[] {
    const properties = Array.isArray(table.node['properties']) ? table.node['properties'] : [];
    const spread = properties.flatMap((one: Node) =>
      one.type === 'SpreadElement' ? this.constant(nameOf(one['arguments']) ?? '', table.within) : [],
    );
    return [table, ...spread].flatMap((one) => entriesOf(one, name));
  }

  /** The texts that callers pass for a parameter of a function. Undefined if the name is not a parameter. */
  private given(name: string, within: readonly Fn[], depth: number): string[] | undefined {
    const fn = within.findLast(({ params }) => params.includes(name));
    if (fn === undefined) return undefined;
    const calls = this.calls.get(fn.name ?? '') ?? [];
    const texts = calls.flatMap(({ args, within: caller }) => {
      const node = args[fn.params.indexOf(name)];
      return node === undefined ? [] : this.texts({ node, within: caller }, depth + 1);
    });
    return texts.length === 0 ? [hole] : [...new Set(texts)];
  }
}

type Said = { readonly code: string; readonly node: Node };

/** Calls with an argument that users read: the function's name, and if it matters, the name before it and the file. */
const sayers: readonly { name: string; arg: number; code: string; object?: RegExp; file?: RegExp }[] = [
  { name: 'ParamFault', arg: 0, code: 'invalid' },
  { name: 'warn', arg: 1, code: 'warn', object: /log$/i },
  { name: 'error', arg: 1, code: 'error', object: /log$/i },
  // Most lines of this level report success. Those of these files want something from the user.
  { name: 'info', arg: 1, code: 'info', object: /log$/i, file: /^(cli\/serve|triggers\/(nudges|suspicion))/ },
  { name: 'add', arg: 1, code: 'configuration', object: /^faults$/ },
  { name: 'push', arg: 0, code: 'invalid', object: /^faults$/, file: /^(triggers|params)\// },
  { name: 'none', arg: 0, code: 'invalid', file: /^triggers\/select-connection/ },
  { name: 'kind', arg: 3, code: 'exhausted', file: /^grpc\/admission/ },
  { name: 'once', arg: 2, code: 'warn', file: /^decisions\/sink/ },
  { name: 'refine', arg: 1, code: 'configuration', file: /config/ },
  { name: 'regex', arg: 1, code: 'configuration', file: /config/ },
];

/** Functions and properties whose texts are always faults of a trigger. */
const faultsOf = /^(rules|conflict|needsDrain|secretsFromEnv|disagreements|unknownKeys)$/;

function saidBy({ name, object }: Callee, args: readonly (Node | undefined)[], file: string): Said[] {
  const [first, second] = args;
  if (name === 'ScalerError' && second !== undefined)
    return [{ code: first?.type === 'StringLiteral' ? String(first['value']) : 'unavailable', node: second }];
  return sayers.flatMap((one) => {
    const node = args[one.arg];
    const fits =
      one.name === name &&
      (one.object?.test(object) ?? true) &&
      (one.file?.test(file) ?? true) &&
      node !== undefined;
    return fits ? [{ code: one.code, node }] : [];
  });
}

interface Callee {
  readonly name: string;
  /** The name before the function: `log` in `this.deps.log.warn`. '' without one. */
  readonly object: string;
}

function calleeOf({ callee }: Node): Callee | undefined {
  const name = nameOf(callee);
  if (name === undefined) return undefined;
  const object = isNode(callee) && callee.type === 'MemberExpression' ? nameOf(callee['object']) : undefined;
  return { name, object: object ?? '' };
}

/** An identifier, or the last name of `a.b.c`. For `x.message` the name of `x`. */
function nameOf(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === 'Identifier' || value.type === 'PrivateName') return String(value['value']);
  return value.type === 'MemberExpression' ? nameOf(value['property']) : undefined;
}

function argumentsOf(node: Node): (Node | undefined)[] {
  const given = Array.isArray(node['arguments']) ? node['arguments'] : [];
  return given.map(({ expression }: { expression?: unknown }) => {
    if (!isNode(expression)) return undefined;
    // zod's form: `{ message: … }`.
    const said =
      expression.type === 'ObjectExpression'
        ? entriesOf({ node: expression, within: [] }, 'message')[0]
        : undefined;
    return said?.node ?? expression;
  });
}

/** The entries of an object or list, also with `as const`. With a name only that entry, if it exists. */
function entriesOf({ node, within }: Placed, name: string | undefined): Placed[] {
  if (
    node.type === 'TsConstAssertion' ||
    node.type === 'TsSatisfiesExpression' ||
    node.type === 'TsAsExpression'
  )
    return isNode(node['expression']) ? entriesOf({ node: node['expression'], within }, name) : [];
  const elements = Array.isArray(node['elements']) ? node['elements'] : [];
  if (node.type === 'ArrayExpression')
    return elements.flatMap(({ expression }) =>
      isNode(expression) ? entriesOf({ node: expression, within }, name) : [],
    );
  const properties = (Array.isArray(node['properties']) ? node['properties'] : []).filter(isNode);
  if (node.type !== 'ObjectExpression') return [{ node, within }];
  const entries = properties.flatMap(({ key, value }) =>
    isNode(value) ? [{ key: isNode(key) ? String(key['value']) : '', placed: { node: value, within } }] : [],
  );
  const named = entries.filter(({ key }) => key === name);
  return (named.length > 0 ? named : entries).map(({ placed }) => placed);
}

function functionOf(node: Node): (Fn & { body: Node | undefined }) | undefined {
  const of = (name: string | undefined, params: unknown, body: unknown): Fn & { body: Node | undefined } => ({
    name,
    params: (Array.isArray(params) ? params : []).map((one: Node) => nameOf(one['pat'] ?? one)),
    body: isNode(body) ? body : undefined,
  });
  if (node.type === 'FunctionDeclaration')
    return of(nameOf(node['identifier']), node['params'], node['body']);
  if (node.type === 'ClassMethod') {
    // A method's node has no type of its own.
    const { params, body } = node['function'] as Node;
    return of(nameOf(node['key']), params, body);
  }
  if (node.type === 'KeyValueProperty' && nameOf(node['key']) === 'rules') return of('rules', [], undefined);
  if (
    node.type === 'VariableDeclarator' &&
    isNode(node['init']) &&
    node['init'].type === 'ArrowFunctionExpression'
  )
    return of(nameOf(node['id']), node['init']['params'], node['init']['body']);
  return undefined;
}

function isText({ type, ...node }: Node): boolean {
  return (
    type === 'TemplateLiteral' || (type === 'StringLiteral' && /\w+ \w+ \w+/.test(String(node['value'])))
  );
}

function template(node: Node, of: (inner: unknown) => string[]): string[] {
  const quasis = Array.isArray(node['quasis']) ? node['quasis'] : [];
  const expressions = Array.isArray(node['expressions']) ? node['expressions'] : [];
  return quasis.reduce<string[]>(
    (before, quasi: Node, i) => {
      const texts = joined(before, [String(quasi['cooked'])]);
      if (i >= expressions.length) return texts;
      const longer = joined(texts, of(expressions[i]));
      return longer.length > mostTexts ? joined(texts, [hole]) : longer;
    },
    [''],
  );
}

function joined(before: readonly string[], after: readonly string[]): string[] {
  return before.flatMap((start) => after.map((end) => start + end));
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  map.set(key, [...(map.get(key) ?? []), value]);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}
