import { h, setAttribute, setText, svg } from './dom.ts';
import { age, ago, number, shortNumber } from './format.ts';
import type { Shown, SortKey } from './rows.ts';
import { sparkPath } from './spark.ts';
import type { Sparks } from './wire.ts';

interface Column {
  readonly key: string;
  readonly title: string;
  readonly sort?: SortKey;
  /** Whether the most interesting end is the large one. */
  readonly downFirst?: boolean;
}

const columns: readonly Column[] = [
  { key: 'name', title: 'Trigger', sort: 'name' },
  { key: 'source', title: 'Source', sort: 'source' },
  { key: 'spark', title: 'Last hour' },
  { key: 'backlog', title: 'Backlog', sort: 'backlog', downFirst: true },
  { key: 'value', title: 'Value / target', sort: 'value', downFirst: true },
  { key: 'desired', title: 'Replicas', sort: 'desired', downFirst: true },
  { key: 'state', title: 'State', sort: 'state', downFirst: true },
  { key: 'age', title: 'Read', sort: 'age', downFirst: true },
  { key: 'wake', title: 'Last wake', sort: 'wake', downFirst: true },
  { key: 'nudge', title: 'Nudge', sort: 'nudge', downFirst: true },
  { key: 'error', title: 'Last error', sort: 'error', downFirst: true },
];

export const stateNames = {
  failing: 'Failing',
  active: 'Active',
  idle: 'Idle',
  starting: 'Starting',
} as const;
export const sparkSize = { width: 120, height: 28 };

const rowPx = 48;
/** Rows above and below what is seen, so that scrolling shows none that is empty. */
const spare = 6;

export interface ListHost {
  sort(key: SortKey, descending: boolean): void;
  sparks(): Sparks;
  /** The scaler's clock now. */
  now(): number;
  /** Other rows are seen. */
  seen(): void;
}

/** A table of any number of rows, of which only those that are seen are elements. */
export class List {
  readonly element: HTMLElement;
  private readonly scroller: HTMLElement;
  private readonly space: HTMLElement;
  private readonly empty: HTMLElement;
  private readonly heads = new Map<SortKey, HTMLElement>();
  private readonly host: ListHost;
  private pool: RowElement[] = [];
  private shown: readonly Shown[] = [];
  private sort: { key: SortKey; descending: boolean } = { key: 'name', descending: false };
  /** The row that the keyboard is on. */
  private at = 0;

  constructor(host: ListHost) {
    this.host = host;
    this.space = h('div', { class: 'space', role: 'presentation' });
    this.empty = h('p', { class: 'empty', hidden: '' });
    this.scroller = h(
      'div',
      { class: 'rows', role: 'rowgroup', tabindex: 0, 'aria-label': 'Triggers' },
      this.space,
    );
    const head = h(
      'div',
      { class: 'row head', role: 'row' },
      ...columns.map((column) => this.headOf(column)),
    );
    this.element = h(
      'div',
      { class: 'table', role: 'table', 'aria-label': 'Triggers', 'aria-colcount': columns.length },
      h('div', { role: 'rowgroup', class: 'heads' }, head),
      this.scroller,
    );
    this.scroller.addEventListener('scroll', () => this.render(), { passive: true });
    this.scroller.addEventListener('keydown', (event) => this.keyed(event));
    new ResizeObserver(() => this.render()).observe(this.scroller);
  }

  /** The text in place of rows. */
  get emptyElement(): HTMLElement {
    return this.empty;
  }

  show(shown: readonly Shown[], sort: { key: SortKey; descending: boolean }, empty: string): void {
    this.shown = shown;
    this.sort = sort;
    this.empty.hidden = shown.length > 0;
    setText(this.empty, empty);
    this.space.style.height = `${shown.length * rowPx}px`;
    setAttribute(this.element, 'aria-rowcount', String(shown.length + 1));
    for (const [key, head] of this.heads) {
      const own = key === sort.key ? (sort.descending ? 'descending' : 'ascending') : 'none';
      setAttribute(head, 'aria-sort', own);
    }
    this.render();
  }

  /** The IDs of the visible rows. */
  seen(): string[] {
    const [first, last] = this.range();
    return this.shown.slice(first, last).map(({ row }) => row.id);
  }

  render(): void {
    const [first, last] = this.range();
    const count = last - first;
    while (this.pool.length < count) {
      const row = new RowElement();
      this.pool.push(row);
      this.space.append(row.element);
    }
    const now = this.host.now();
    const sparks = this.host.sparks();
    // A row keeps its element while it is scrolled, so that the keyboard keeps its place.
    const size = this.pool.length;
    const used = new Set<RowElement>();
    for (let index = first; index < last; index += 1) {
      const shown = this.shown[index];
      const row = this.pool[index % size];
      if (!shown || !row) continue;
      used.add(row);
      row.show(shown, index, now, sparks[shown.row.id]);
    }
    for (const row of this.pool) row.element.hidden = !used.has(row);
    this.host.seen();
  }

  private range(): [number, number] {
    const top = Math.floor(this.scroller.scrollTop / rowPx) - spare;
    const count = Math.ceil(this.scroller.clientHeight / rowPx) + 2 * spare;
    const first = Math.max(0, Math.min(top, this.shown.length - count));
    return [first, Math.min(this.shown.length, first + count)];
  }

  private headOf({ key, title, sort, downFirst = false }: Column): HTMLElement {
    if (!sort) return h('div', { role: 'columnheader', class: `cell ${key}` }, title);
    const button = h('button', { type: 'button', class: 'sort' }, title);
    button.addEventListener('click', () => {
      const isOwn = this.sort.key === sort;
      this.host.sort(sort, isOwn ? !this.sort.descending : downFirst);
    });
    const head = h('div', { role: 'columnheader', class: `cell ${key}`, 'aria-sort': 'none' }, button);
    this.heads.set(sort, head);
    return head;
  }

  /** Also for keys that are pressed outside of it. */
  keyed(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / rowPx) - 1);
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: Number.NEGATIVE_INFINITY,
      End: Number.POSITIVE_INFINITY,
    };
    const move = moves[event.key];
    if (move === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const focused = this.pool.find(({ element }) => element.contains(document.activeElement));
    // The first key goes to the row that is seen first.
    const top = Math.ceil(this.scroller.scrollTop / rowPx);
    const to = focused ? focused.index + move : Number.isFinite(move) ? top : move;
    this.focus(Math.min(Math.max(to, 0), this.shown.length - 1));
  }

  private focus(index: number): void {
    if (index < 0) return;
    this.at = index;
    const top = index * rowPx;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + rowPx > scrollTop + clientHeight) this.scroller.scrollTop = top + rowPx - clientHeight;
    this.render();
    this.pool
      .find((row) => row.index === this.at && !row.element.hidden)
      ?.link.focus({ preventScroll: true });
  }
}

/** The element of a row, for one trigger after the other. */
class RowElement {
  readonly element: HTMLElement;
  readonly link = h('a');
  index = -1;
  private readonly cells = new Map<string, HTMLElement>();
  private readonly line = svg('path', { class: 'line' });
  private readonly area = svg('path', { class: 'area' });
  private readonly chart: SVGElement;
  private drawn: unknown;

  constructor() {
    const { width, height } = sparkSize;
    this.chart = svg('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' });
    this.chart.append(this.area, this.line);
    const cells = columns.map(({ key }) => {
      const cell = h('div', { role: 'cell', class: `cell ${key}` });
      this.cells.set(key, cell);
      return cell;
    });
    this.cell('name').append(this.link, h('small'));
    this.cell('source').append(h('span'), h('small'));
    this.cell('spark').append(this.chart);
    this.cell('wake').append(h('span'), h('small'));
    this.cell('state').append(h('span', { class: 'dot', 'aria-hidden': 'true' }), h('span'));
    this.element = h('div', { class: 'row', role: 'row' }, ...cells);
  }

  show(
    { row, state, readAt }: Shown,
    index: number,
    now: number,
    spark: readonly (number | null)[] | undefined,
  ): void {
    const { element } = this;
    if (this.index !== index) {
      this.index = index;
      element.style.transform = `translateY(${index * rowPx}px)`;
      setAttribute(element, 'aria-rowindex', String(index + 2));
    }
    setAttribute(element, 'data-state', state);
    const sinceOf = (at: number | undefined): number | undefined => (at === undefined ? undefined : now - at);
    setAttribute(this.link, 'href', `#/triggers/${encodeURIComponent(row.id)}`);
    setText(this.link, row.name);
    this.second('name', row.namespace);
    this.first('source', row.source || 'unknown');
    this.second('source', row.connection);
    setText(this.cell('backlog'), shortNumber(row.items));
    setText(
      this.cell('value'),
      row.target === undefined ? '–' : `${shortNumber(row.value)} / ${number(row.target)}`,
    );
    setText(this.cell('desired'), number(row.desired));
    this.last('state', stateNames[state]);
    setText(this.cell('age'), age(sinceOf(readAt)));
    this.first('wake', row.wake ? row.wake.cause : '–');
    this.second('wake', row.wake ? ago(sinceOf(row.wake.at)) : '');
    setText(this.cell('nudge'), age(sinceOf(row.nudgeAt)));
    const error =
      row.error ?? (row.lastError ? `${ago(sinceOf(row.lastError.at))}: ${row.lastError.message}` : '–');
    setText(this.cell('error'), error);
    setAttribute(this.cell('error'), 'title', error === '–' ? '' : error);
    this.draw(spark, row.items);
  }

  private draw(spark: readonly (number | null)[] | undefined, items: number | undefined): void {
    const last = spark?.at(-1) ?? undefined;
    const most = last === undefined || items === undefined ? (last ?? items) : Math.max(last, items);
    const values = spark && [...spark.slice(0, -1), most ?? null];
    const drawn = values?.join();
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const { line, area } = sparkPath(values ?? [], sparkSize);
    setAttribute(this.line, 'd', line);
    setAttribute(this.area, 'd', area);
    const highest = Math.max(0, ...(values ?? []).map((value) => value ?? 0));
    setAttribute(this.chart, 'aria-label', values ? `at most ${number(highest)}` : 'not known yet');
  }

  private cell(key: string): HTMLElement {
    const cell = this.cells.get(key);
    if (!cell) throw new Error(`no column ${key}`);
    return cell;
  }

  private first(key: string, text: string): void {
    const { firstElementChild } = this.cell(key);
    if (firstElementChild) setText(firstElementChild, text);
  }

  private second(key: string, text: string): void {
    this.last(key, text);
  }

  private last(key: string, text: string): void {
    const { lastElementChild } = this.cell(key);
    if (lastElementChild) setText(lastElementChild, text);
  }
}
