/*
 * Loaded before the scaler (`node --import`). It makes the wall clock of this process wrong: at first by `skewMs` of
 * this module's URL, then by the last message ({ skewMs }). The monotonic clock stays right, as when a person or NTP
 * sets the time.
 */
const RealDate = Date;
const realNow = Date.now.bind(Date);
let skewMs = Number(new URL(import.meta.url).searchParams.get('skewMs') ?? 0);

// Where the process takes the time of its start from. What the clock does later does not change it.
Object.defineProperty(performance, 'timeOrigin', {
  value: performance.timeOrigin + skewMs,
  configurable: true,
});

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [realNow() + skewMs] : args, newTarget),
  apply: () => new RealDate(realNow() + skewMs).toString(),
  get: (target, key) => (key === 'now' ? () => realNow() + skewMs : Reflect.get(target, key)),
});

process.on('message', (message) => {
  if (typeof message.skewMs === 'number') skewMs = message.skewMs;
});
process.channel?.unref();
