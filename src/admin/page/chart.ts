import type { default as UPlot } from 'uplot';

/** Of a trigger's history. Times in seconds since 1970. Null means unknown. */
export interface ChartData {
  readonly times: readonly number[];
  readonly backlog: readonly (number | null)[];
  readonly desired: readonly (number | null)[];
  readonly events: readonly number[];
}

/** Where the library is served; its package's own name would need a build step. */
const library = './uplot.js';
const heightPx = 280;

/** A chart of the backlog, and of the replicas that were asked for. The library comes when it is first needed. */
export class Chart {
  private readonly host: HTMLElement;
  private plot: UPlot | undefined;
  private data: ChartData = { times: [], backlog: [], desired: [], events: [] };
  private isLoading = false;

  constructor(host: HTMLElement) {
    this.host = host;
    new ResizeObserver(() => this.plot?.setSize({ width: host.clientWidth, height: heightPx })).observe(host);
  }

  show(data: ChartData): void {
    this.data = data;
    if (this.plot) this.plot.setData(aligned(data));
    else void this.make();
  }

  /** With the colours of the theme of now. */
  redraw(): void {
    this.plot?.destroy();
    this.plot = undefined;
    if (this.data.times.length > 0) void this.make();
  }

  close(): void {
    this.plot?.destroy();
    this.plot = undefined;
  }

  private async make(): Promise<void> {
    if (this.isLoading) return;
    this.isLoading = true;
    const { default: Plot }: { default: typeof UPlot } = await import(library);
    this.isLoading = false;
    if (!this.host.isConnected || this.plot) return;
    this.plot = new Plot(this.options(Plot), aligned(this.data), this.host);
  }

  private options(Plot: typeof UPlot): UPlot.Options {
    const style = getComputedStyle(this.host);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const stepped = Plot.paths.stepped?.({ align: 1 });
    const font = '12px system-ui, sans-serif';
    const axis = { stroke: colour('--dim'), font, ticks: { show: false } };
    const grid = { stroke: colour('--line'), width: 1 };
    const whole = (_: UPlot, value: number | null): string =>
      value === null ? '–' : value.toLocaleString('en');
    const path = stepped ? { paths: stepped } : {};
    return {
      width: this.host.clientWidth,
      height: heightPx,
      padding: [12, 8, 0, 8],
      cursor: { y: false, points: { size: 7 } },
      scales: { x: { time: true }, items: { range: fromZero }, replicas: { range: fromZero } },
      axes: [
        { ...axis, grid: { show: false }, space: 70, values: (_, times) => clocks(times) },
        {
          ...axis,
          scale: 'items',
          grid,
          size: 64,
          label: 'items',
          labelFont: font,
          labelSize: 18,
          labelGap: 0,
        },
        {
          ...axis,
          scale: 'replicas',
          side: 1,
          grid: { show: false },
          size: 48,
          label: 'replicas',
          labelFont: font,
          labelSize: 18,
        },
      ],
      series: [
        { value: (_: UPlot, at: number | null): string => (at === null ? '–' : moment.format(at * 1000)) },
        {
          label: 'Backlog',
          scale: 'items',
          stroke: colour('--accent'),
          fill: colour('--accent-soft'),
          width: 2,
          points: { show: false },
          value: whole,
          ...path,
        },
        {
          label: 'Replicas asked for',
          scale: 'replicas',
          stroke: colour('--second'),
          width: 2,
          dash: [6, 4],
          points: { show: false },
          value: whole,
          ...path,
        },
      ],
      hooks: { drawAxes: [(plot) => this.drawEvents(plot, colour('--mark'))] },
    };
  }

  private drawEvents(plot: UPlot, stroke: string): void {
    const { ctx, bbox, scales } = plot;
    const { min, max } = scales['x'] ?? {};
    ctx.save();
    ctx.strokeStyle = stroke;
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (const time of this.data.events) {
      if (min === undefined || max === undefined || time < min || time > max) continue;
      const x = Math.round(plot.valToPos(time, 'x', true)) + 0.5;
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
    }
    ctx.stroke();
    ctx.restore();
  }
}

/** `2026-11-23 08:00:00`, as Sweden writes it. */
const moment = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const exactClock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** Seconds only where they are what differs. */
function clocks(times: readonly number[]): string[] {
  const isFine = (times[1] ?? 0) - (times[0] ?? 0) < 60;
  return times.map((time) => (isFine ? exactClock : clock).format(time * 1000));
}

function fromZero(_: UPlot, __: number, most: number | null): [number, number] {
  return [0, Math.max(1, most ?? 0) * 1.08];
}

function aligned({ times, backlog, desired }: ChartData): UPlot.AlignedData {
  return [[...times], [...backlog], [...desired]];
}
