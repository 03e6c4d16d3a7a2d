import { byId, say, setAttribute, setText } from './dom.ts';
import { follow, type Link } from './live.ts';
import { type Known, Overview } from './overview.ts';
import { Rows } from './rows.ts';
import { TriggerView } from './trigger.ts';
import type { ConnectionRow, Tick } from './wire.ts';

const themes = ['system', 'light', 'dark'] as const;
const links: Readonly<Record<Link, string>> = {
  connecting: 'connecting',
  live: 'live',
  lost: 'lost, trying again',
  full: 'too many pages are open',
};

/** What the scaler tells. A new stream fills rows of its own, which are shown when they are whole. */
class Told implements Known {
  private current = new Rows();
  private coming = new Rows();
  private last: { readonly tick: Tick; readonly atMs: number } | undefined;
  private state: Link = 'connecting';

  rows(): Rows {
    return this.current;
  }

  connections(): readonly ConnectionRow[] {
    return this.last?.tick.connections ?? [];
  }

  now(): number {
    return this.last ? this.last.tick.now + performance.now() - this.last.atMs : 0;
  }

  isWhole(): boolean {
    return this.last !== undefined;
  }

  begin(): void {
    this.coming = new Rows();
  }

  change(change: Parameters<Rows['apply']>[0]): void {
    this.coming.apply(change);
  }

  tick(tick: Tick): void {
    this.current = this.coming;
    this.last = { tick, atMs: performance.now() };
    setText(byId('version', HTMLSpanElement), tick.version);
    refresh();
  }

  link(state: Link): void {
    if (state === this.state) return;
    this.state = state;
    setAttribute(byId('link', HTMLSpanElement), 'data-state', state);
    setText(byId('link-text', HTMLSpanElement), links[state]);
    // That it is live at first is no news.
    if (state !== 'live' || this.last) say(`The connection is ${links[state]}`);
  }
}

const told = new Told();
const main = byId('main', HTMLElement);
let view: Overview | TriggerView | undefined;
let isAwaited = false;

/** At most once a frame, and not while nobody sees it. */
function refresh(): void {
  if (isAwaited) return;
  isAwaited = true;
  requestAnimationFrame(() => {
    isAwaited = false;
    if (view instanceof Overview) view.refresh();
    else view?.render();
  });
}

function route(): void {
  const [, id] = /^#\/triggers\/(.+)$/.exec(location.hash) ?? [];
  if (view instanceof TriggerView) view.close();
  if (id === undefined) {
    document.title = 'backlog-scaler';
    const overview = new Overview(told);
    view = overview;
    main.replaceChildren(overview.element);
    overview.refresh();
  } else {
    const trigger = new TriggerView(decodeURIComponent(id), told);
    view = trigger;
    main.replaceChildren(trigger.element);
    trigger.open();
  }
}

function setUpTheme(): void {
  const button = byId('theme', HTMLButtonElement);
  const kept = localStorage.getItem('theme') ?? 'system';
  const names: readonly string[] = themes;
  let at = Math.max(0, names.indexOf(kept));
  const use = (): void => {
    const theme = themes[at] ?? 'system';
    setAttribute(document.documentElement, 'data-theme', theme);
    setText(button, `Theme: ${theme}`);
    if (view instanceof TriggerView) view.redraw();
  };
  button.addEventListener('click', () => {
    at = (at + 1) % themes.length;
    localStorage.setItem('theme', themes[at] ?? 'system');
    use();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', use);
  use();
}

function keyed(event: KeyboardEvent): void {
  const { target, key } = event;
  const isTyping = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  if (event.ctrlKey || event.metaKey || event.altKey || byId('ask', HTMLDialogElement).open) return;
  if (key === '/' && !isTyping && view instanceof Overview) {
    event.preventDefault();
    view.focusSearch();
  }
  const isFree = target === document.body || target === main;
  const isLeavingSearch = target instanceof HTMLInputElement && target.id === 'search' && key === 'ArrowDown';
  if (view instanceof Overview && (isFree || isLeavingSearch)) view.keyed(event);
  if (key === 'Escape' && view instanceof TriggerView) location.hash = '#/';
}

setUpTheme();
byId('ask', HTMLDialogElement);
// A link to `#main` would be a route.
document.querySelector('.skip')?.addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener('hashchange', route);
addEventListener('keydown', keyed);
route();
setInterval(() => view?.render(), 1_000);
void follow(told);
