import { request } from './api.ts';
import { h, say, setAttribute, setText } from './dom.ts';
import { number, rate, shortNumber } from './format.ts';
import { List } from './list.ts';
import { everything, type Rows, type SortKey, type State, sortKeys, type Wanted } from './rows.ts';
import type { ConnectionRow, Sparks } from './wire.ts';

/** The source of the page's data. */
export interface Known {
  rows(): Rows;
  connections(): readonly ConnectionRow[];
  /** The scaler's clock now, in ms. */
  now(): number;
  /** Whether everything has arrived once. */
  isWhole(): boolean;
}

const sparkEveryMs = 30_000;
/** Who points at the list, or goes through it by keyboard, is not to have its rows move away. */
const restMs = 4_000;
const mostSparksKept = 400;
const states: readonly (readonly [State | '', string])[] = [
  ['', 'All'],
  ['active', 'Active'],
  ['idle', 'Idle'],
  ['failing', 'Failing'],
];

/** The first view: sums, connections, and all triggers. */
export class Overview {
  readonly element: HTMLElement;
  private readonly known: Known;
  private readonly list: List;
  private readonly tiles = new Map<string, HTMLElement>();
  private readonly connections = h('ul', { class: 'connections' });
  private readonly search = h('input', {
    type: 'search',
    id: 'search',
    placeholder: 'Search  /',
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-label': 'Search triggers',
  });
  private readonly namespace = h('select', { id: 'namespace', 'aria-label': 'Namespace' });
  private readonly states = new Map<State | '', HTMLButtonElement>();
  private readonly count = h('span', { class: 'count' });
  private wanted: Wanted;
  private order: readonly string[] = [];
  private restUntilMs = 0;
  private readonly sparks = new Map<string, { values: readonly (number | null)[]; atMs: number }>();
  private sparkTimer: number | undefined;
  private isAsking = false;

  constructor(known: Known) {
    this.known = known;
    this.wanted = wantedIn(location.hash);
    this.list = new List({
      sort: (sort, descending) => this.want({ sort, descending }),
      sparks: () => this.sparksNow(),
      now: () => known.now(),
      seen: () => this.askForSparks(),
    });
    for (const kind of ['pointermove', 'keydown', 'wheel']) {
      this.list.element.addEventListener(kind, () => this.rest(), { passive: true });
    }
    this.element = h(
      'div',
      { class: 'overview' },
      h('h1', { class: 'hidden' }, 'Triggers and connections'),
      h('section', { class: 'tiles', 'aria-label': 'Sums' }, ...this.makeTiles()),
      h(
        'section',
        { class: 'places', 'aria-labelledby': 'places' },
        h('h2', { id: 'places' }, 'Connections'),
        this.connections,
      ),
      h(
        'section',
        { class: 'triggers', 'aria-labelledby': 'triggers' },
        this.toolbar(),
        this.list.element,
        this.list.emptyElement,
      ),
    );
    this.search.value = this.wanted.search;
  }

  /** Everything may have changed. */
  refresh(): void {
    const rows = this.known.rows();
    this.showTiles();
    this.showConnections();
    this.showNamespaces(rows.namespaces());
    for (const [state, button] of this.states) {
      setAttribute(button, 'aria-pressed', String(state === this.wanted.state));
    }
    let found = rows.find(this.wanted);
    if (performance.now() < this.restUntilMs) {
      const places = new Map(this.order.map((id, place) => [id, place]));
      const placeOf = (id: string): number => places.get(id) ?? Number.POSITIVE_INFINITY;
      found = found
        .map((shown) => ({ shown, place: placeOf(shown.row.id) }))
        .sort((a, b) => (a.place === b.place ? 0 : a.place - b.place))
        .map(({ shown }) => shown);
    }
    this.order = found.map(({ row }) => row.id);
    const { size } = rows;
    setText(this.count, found.length === size ? number(size) : `${number(found.length)} of ${number(size)}`);
    const { sort: key, descending } = this.wanted;
    this.list.show(found, { key, descending }, this.emptyText(size));
  }

  /** Time has passed. */
  render(): void {
    this.list.render();
  }

  focusSearch(): void {
    this.search.focus();
    this.search.select();
  }

  /** A key that was pressed in the search, or where nothing is chosen. */
  keyed(event: KeyboardEvent): void {
    this.list.keyed(event);
  }

  private rest(): void {
    this.restUntilMs = performance.now() + restMs;
  }

  private emptyText(size: number): string {
    if (size > 0) return 'No trigger is like that.';
    return this.known.isWhole()
      ? 'No trigger is live: KEDA has not asked for any yet.'
      : 'Waiting for the scaler …';
  }

  private want(change: Partial<Wanted>): void {
    this.wanted = { ...this.wanted, ...change };
    this.restUntilMs = 0;
    history.replaceState(null, '', hashOf(this.wanted));
    this.refresh();
    say(`${this.count.textContent} triggers`);
  }

  private makeTiles(): HTMLElement[] {
    const tile = (key: string, title: string): HTMLElement => {
      const value = h('b', {}, '–');
      this.tiles.set(key, value);
      return h('div', { class: 'tile', 'data-tile': key }, value, h('span', {}, title));
    };
    return [
      tile('triggers', 'triggers'),
      tile('active', 'active'),
      tile('failing', 'failing'),
      tile('items', 'items waiting'),
      tile('desired', 'replicas asked for'),
    ];
  }

  private showTiles(): void {
    const { triggers, active, failing, items, desired } = this.known.rows().totals();
    for (const [key, value] of Object.entries({ triggers, active, failing, items, desired })) {
      const tile = this.tiles.get(key);
      if (!tile) continue;
      setText(tile, this.known.isWhole() ? shortNumber(value) : '–');
      if (tile.parentElement) setAttribute(tile.parentElement, 'data-zero', String(value === 0));
    }
  }

  private showConnections(): void {
    const connections = this.known.connections();
    while (this.connections.children.length > connections.length) this.connections.lastElementChild?.remove();
    while (this.connections.children.length < connections.length) this.connections.append(connectionCard());
    for (const [i, connection] of connections.entries()) {
      const card = this.connections.children[i];
      if (card) showConnection(card, connection);
    }
  }

  private toolbar(): HTMLElement {
    const states_ = states.map(([state, title]) => {
      const button = h('button', { type: 'button', 'aria-pressed': 'false' }, title);
      button.addEventListener('click', () => this.want({ state }));
      this.states.set(state, button);
      return button;
    });
    this.search.addEventListener('input', () => this.want({ search: this.search.value }));
    this.namespace.addEventListener('change', () => this.want({ namespace: this.namespace.value }));
    this.namespace.append(h('option', { value: '' }, 'All namespaces'));
    return h(
      'div',
      { class: 'toolbar' },
      h('h2', { id: 'triggers' }, 'Triggers'),
      this.count,
      h('span', { class: 'grow' }),
      h('div', { class: 'states', role: 'group', 'aria-label': 'State' }, ...states_),
      this.namespace,
      this.search,
    );
  }

  private showNamespaces(names: readonly string[]): void {
    const { namespace } = this.wanted;
    const all = namespace === '' || names.includes(namespace) ? names : [namespace, ...names];
    const before = [...this.namespace.options].slice(1).map(({ value }) => value);
    if (before.join('\n') !== all.join('\n')) {
      this.namespace.replaceChildren(
        h('option', { value: '' }, 'All namespaces'),
        ...all.map((name) => h('option', { value: name }, name)),
      );
    }
    if (this.namespace.value !== namespace) this.namespace.value = namespace;
  }

  private sparksNow(): Sparks {
    return Object.fromEntries([...this.sparks].map(([id, { values }]) => [id, values]));
  }

  /** Those that are seen, and have none that is fresh. */
  private askForSparks(): void {
    if (this.sparkTimer !== undefined || this.isAsking) return;
    this.sparkTimer = setTimeout(() => void this.fetchSparks(), 120);
  }

  private async fetchSparks(): Promise<void> {
    this.sparkTimer = undefined;
    const nowMs = performance.now();
    const due = this.list
      .seen()
      .filter((id) => nowMs - (this.sparks.get(id)?.atMs ?? Number.NEGATIVE_INFINITY) > sparkEveryMs)
      .slice(0, 64);
    if (due.length === 0) return;
    this.isAsking = true;
    try {
      const found: Sparks = await (await request(`api/sparks?ids=${due.join(',')}`)).json();
      for (const id of due) {
        this.sparks.delete(id);
        this.sparks.set(id, { values: found[id] ?? [], atMs: nowMs });
      }
      for (const oldest of this.sparks.keys()) {
        if (this.sparks.size <= mostSparksKept) break;
        this.sparks.delete(oldest);
      }
    } catch {
      // The stream shows that the scaler is gone. These are requested again.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    } finally {
      this.isAsking = false;
    }
    this.list.render();
  }
}

function connectionCard(): HTMLElement {
  return h(
    'li',
    { class: 'place' },
    h('span', { class: 'dot', 'aria-hidden': 'true' }),
    h('b', { class: 'place-name' }),
    h('span', { class: 'badge' }),
    h('span', { class: 'place-health' }),
    h('span', { class: 'place-rate' }),
    h(
      'span',
      { class: 'place-quota' },
      h('meter', { min: 0, max: 1, value: 0, 'aria-label': 'Quota left' }),
      h('span'),
    ),
  );
}

function showConnection(card: Element, connection: ConnectionRow): void {
  const {
    name,
    source,
    triggers,
    failing,
    subjects,
    error,
    requestsPerMinute,
    remaining,
    granted,
    hasLease,
  } = connection;
  const part = (selector: string): Element | null => card.querySelector(selector);
  const set = (selector: string, text: string): void => {
    const element = part(selector);
    if (element) setText(element, text);
  };
  const state =
    failing === 0 ? (triggers === 0 ? 'idle' : 'active') : failing < triggers ? 'some' : 'failing';
  setAttribute(card, 'data-state', state);
  setAttribute(card, 'title', error ?? `${counted(subjects, 'subject')} measured`);
  set('.place-name', name);
  set('.badge', source);
  const health = failing === 0 ? (triggers === 0 ? 'not used' : 'healthy') : `${number(failing)} failing`;
  set('.place-health', `${health} · ${counted(triggers, 'trigger')}`);
  const asked = requestsPerMinute === 0 ? 'no requests' : rate(requestsPerMinute);
  set('.place-rate', hasLease === false ? 'another pod asks' : asked);
  const quota = part('.place-quota');
  if (!(quota instanceof HTMLElement)) return;
  quota.hidden = remaining === undefined;
  if (remaining === undefined) return;
  set('.place-quota span', `${number(remaining)} left this hour`);
  const meter = part('meter');
  if (!(meter instanceof HTMLMeterElement)) return;
  meter.max = Math.max(granted ?? 0, remaining, 1);
  meter.low = meter.max / 10;
  meter.value = remaining;
}

function counted(count: number, what: string): string {
  return `${number(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** `#/?q=…&namespace=…&state=…&sort=-backlog`: what is wanted can be kept as a bookmark. */
export function hashOf({ search, namespace, state, sort, descending }: Wanted): string {
  const query = new URLSearchParams();
  if (search !== '') query.set('q', search);
  if (namespace !== '') query.set('namespace', namespace);
  if (state !== '') query.set('state', state);
  if (sort !== everything.sort || descending !== everything.descending) {
    query.set('sort', `${descending ? '-' : ''}${sort}`);
  }
  return query.size === 0 ? '#/' : `#/?${query}`;
}

export function wantedIn(hash: string): Wanted {
  const query = new URLSearchParams(/^#\/\?(.*)$/.exec(hash)?.[1] ?? '');
  const sort = query.get('sort') ?? '';
  const key = sortKeys.find((known): known is SortKey => known === sort.replace(/^-/, ''));
  const state = states.map(([one]) => one).find((one) => one === query.get('state'));
  return {
    search: query.get('q') ?? '',
    namespace: query.get('namespace') ?? '',
    state: state ?? '',
    sort: key ?? everything.sort,
    descending: key === undefined ? everything.descending : sort.startsWith('-'),
  };
}
