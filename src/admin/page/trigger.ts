import { getJson, Refused, request } from './api.ts';
import { Chart, type ChartData } from './chart.ts';
import { h, say, setAttribute, setText } from './dom.ts';
import { age, ago, number } from './format.ts';
import { stateNames } from './list.ts';
import type { Known } from './overview.ts';
import type { Details } from './wire.ts';

interface History {
  readonly points: readonly {
    readonly time: string;
    readonly backlog: number | null;
    readonly desired: number | null;
  }[];
  readonly events: readonly {
    readonly time: string;
    readonly kind: string;
    readonly cause?: string;
    readonly error?: string;
    readonly surge?: {
      readonly from: number;
      readonly to: number;
      readonly ms: number;
      readonly nudges: number;
    };
  }[];
}

const ranges: readonly (readonly [number, string])[] = [
  [900, '15 min'],
  [3600, '1 h'],
  [21_600, '6 h'],
  [604_800, 'All'],
];
const everyMs = 5_000;
const mostEventsShown = 50;

/** The page of one trigger: its numbers, its history, and why. */
export class TriggerView {
  readonly element: HTMLElement;
  private readonly id: string;
  private readonly known: Known;
  private readonly title = h('h1', { tabindex: -1 }, 'Trigger');
  private readonly subtitle = h('p', { class: 'subtitle' });
  private readonly tiles = new Map<string, HTMLElement>();
  private readonly problem = h('p', { class: 'problem', hidden: '' });
  private readonly summary = h('figcaption');
  private readonly plot = h('div', { class: 'plot', 'aria-hidden': 'true' });
  private readonly explain = h('pre', { tabindex: 0, 'aria-label': 'Explanation' });
  private readonly events = h('tbody');
  private readonly buttons = new Map<number, HTMLButtonElement>();
  private readonly chart: Chart;
  private seconds = 3600;
  private timer: number | undefined;
  private isClosed = false;

  constructor(id: string, known: Known) {
    this.id = id;
    this.known = known;
    this.chart = new Chart(this.plot);
    const csv = h('button', { type: 'button', class: 'quiet' }, 'Download CSV');
    csv.addEventListener('click', () => void this.download());
    this.element = h(
      'div',
      { class: 'trigger' },
      h('nav', { class: 'crumbs', 'aria-label': 'Back' }, h('a', { href: '#/' }, '‹ All triggers')),
      this.title,
      this.subtitle,
      this.problem,
      h('section', { class: 'tiles', 'aria-label': 'Now' }, ...this.makeTiles()),
      h(
        'section',
        { class: 'panel', 'aria-labelledby': 'past' },
        h(
          'div',
          { class: 'toolbar' },
          h('h2', { id: 'past' }, 'History'),
          h('span', { class: 'grow' }),
          this.rangeButtons(),
          csv,
        ),
        h('figure', {}, this.plot, this.summary),
      ),
      h(
        'div',
        { class: 'two' },
        h(
          'section',
          { class: 'panel', 'aria-labelledby': 'why' },
          h('h2', { id: 'why' }, 'Why'),
          this.explain,
        ),
        h(
          'section',
          { class: 'panel', 'aria-labelledby': 'happened' },
          h('h2', { id: 'happened' }, 'What happened'),
          h(
            'div',
            { class: 'scroll', tabindex: 0, role: 'group', 'aria-labelledby': 'happened' },
            h(
              'table',
              {},
              h(
                'thead',
                {},
                h(
                  'tr',
                  {},
                  ...['When', 'What', 'By', 'Details'].map((text) => h('th', { scope: 'col' }, text)),
                ),
              ),
              this.events,
            ),
          ),
        ),
      ),
    );
  }

  open(): void {
    this.render();
    this.title.focus({ preventScroll: true });
    void this.load();
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.chart.close();
  }

  /** The theme has changed. */
  redraw(): void {
    this.chart.redraw();
  }

  /** Time has passed, or its row has changed. */
  render(): void {
    const shown = this.known.rows().byId(this.id);
    if (!shown) return;
    const { row, state, readAt } = shown;
    const now = this.known.now();
    setText(this.title, `${row.namespace}/${row.name}`);
    document.title = `${row.name} · backlog-scaler`;
    setText(this.subtitle, [row.source, row.connection, row.metricName].filter(Boolean).join(' · '));
    const target = row.target === undefined ? '–' : `${number(row.value)} / ${number(row.target)}`;
    const texts: Readonly<Record<string, string>> = {
      state: stateNames[state],
      backlog: number(row.items),
      value: target,
      desired: number(row.desired),
      age: readAt === undefined ? '–' : age(now - readAt),
      wake: row.wake ? `${row.wake.cause}, ${ago(now - row.wake.at)}` : '–',
      nudge: row.nudgeAt === undefined ? (row.surge ?? '–') : ago(now - row.nudgeAt),
    };
    for (const [key, text] of Object.entries(texts)) {
      const tile = this.tiles.get(key);
      if (tile) setText(tile, text);
    }
    const stateTile = this.tiles.get('state')?.parentElement;
    if (stateTile) setAttribute(stateTile, 'data-state', state);
    const last =
      row.lastError && `The last failure, ${ago(now - row.lastError.at)}: ${row.lastError.message}`;
    this.showProblem(row.error ?? last, row.error === undefined);
  }

  private showProblem(text: string | undefined, isOver: boolean): void {
    this.problem.hidden = text === undefined;
    setAttribute(this.problem, 'data-over', String(isOver));
    setText(this.problem, text ?? '');
  }

  private makeTiles(): HTMLElement[] {
    const titles = {
      state: 'state',
      backlog: 'backlog',
      value: 'value / target',
      desired: 'replicas asked for',
      age: 'age of the reading',
      wake: 'last wake',
      nudge: 'last nudge',
    };
    return Object.entries(titles).map(([key, title]) => {
      const value = h('b', {}, '–');
      this.tiles.set(key, value);
      return h('div', { class: 'tile', 'data-tile': key }, value, h('span', {}, title));
    });
  }

  private rangeButtons(): HTMLElement {
    const buttons = ranges.map(([seconds, title]) => {
      const button = h('button', { type: 'button', 'aria-pressed': String(seconds === this.seconds) }, title);
      button.addEventListener('click', () => {
        this.seconds = seconds;
        for (const [own, one] of this.buttons) setAttribute(one, 'aria-pressed', String(own === seconds));
        void this.load();
      });
      this.buttons.set(seconds, button);
      return button;
    });
    return h('div', { class: 'states', role: 'group', 'aria-label': 'Time' }, ...buttons);
  }

  private get path(): string {
    return `api/triggers/${encodeURIComponent(this.id)}`;
  }

  /** Its history and explanation, and again as long as it is open. */
  private async load(): Promise<void> {
    clearTimeout(this.timer);
    const { seconds } = this;
    try {
      const past = await getJson<History>(`${this.path}/history?seconds=${seconds}`);
      const details = await getJson<Details>(this.path);
      if (this.isClosed || seconds !== this.seconds) return;
      this.showPast(past);
      setText(this.explain, details.explain);
      if (!this.known.rows().byId(this.id)) setText(this.title, `${details.namespace}/${details.name}`);
    } catch (reason) {
      if (this.isClosed) return;
      if (reason instanceof Refused && reason.status === 404) {
        this.showProblem(
          'This trigger is not live any more: KEDA does not ask for it, or its metadata have changed.',
          true,
        );
        say('This trigger is not live any more');
      }
    }
    if (!this.isClosed) this.timer = setTimeout(() => void this.load(), everyMs);
  }

  private showPast({ points, events }: History): void {
    const seconds = (time: string): number => Date.parse(time) / 1000;
    const data: ChartData = {
      times: points.map(({ time }) => seconds(time)),
      backlog: points.map(({ backlog }) => backlog),
      desired: points.map(({ desired }) => desired),
      events: events.map(({ time }) => seconds(time)),
    };
    this.chart.show(data);
    const backlog = spanOf(data.backlog);
    const desired = spanOf(data.desired);
    setText(
      this.summary,
      backlog === '' ? 'Nothing is kept yet.' : `Backlog ${backlog}; replicas asked for ${desired}.`,
    );
    this.showEvents(events);
  }

  private showEvents(events: History['events']): void {
    const latest = events.slice(-mostEventsShown).reverse();
    const key = latest.map(({ time, kind }) => `${time} ${kind}`).join();
    if (this.events.dataset['key'] === key && latest.length > 0) return;
    this.events.dataset['key'] = key;
    const rows = latest.map(({ time, kind, cause = '', error, surge }) => {
      const course =
        surge &&
        `from ${surge.from} to ${surge.to} replicas in ${number(Math.round(surge.ms))} ms, ${surge.nudges} nudges`;
      const at = new Date(time);
      return h(
        'tr',
        { 'data-kind': kind },
        h(
          'td',
          {},
          h(
            'time',
            { datetime: time },
            at.toLocaleString('en-GB', { dateStyle: 'short', timeStyle: 'medium' }),
          ),
        ),
        h('td', {}, h('span', { class: 'badge' }, kind)),
        h('td', {}, cause),
        h('td', { class: 'details' }, course ?? error ?? ''),
      );
    });
    const nothing = h(
      'tr',
      {},
      h('td', { colspan: 4, class: 'nothing' }, 'Nothing has changed since the scaler began to look.'),
    );
    this.events.replaceChildren(...(rows.length > 0 ? rows : [nothing]));
  }

  private async download(): Promise<void> {
    const response = await request(`${this.path}/history?format=csv`);
    const address = URL.createObjectURL(await response.blob());
    const name = (this.title.textContent ?? 'trigger').replace(/[^\w.-]+/g, '-');
    h('a', { href: address, download: `${name}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }
}

function spanOf(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return '';
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const now = number(values.at(-1));
  return least === most
    ? `${number(most)} all the time`
    : `between ${number(least)} and ${number(most)}, now ${now}`;
}
