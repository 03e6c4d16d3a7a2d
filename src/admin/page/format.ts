/* Numbers and times for people. Pure. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat('en', { maximumFractionDigits: 3 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** What is not known is a dash. */
export function number(value: number | null | undefined): string {
  if (value === undefined || value === null) return '–';
  return Number.isInteger(value) ? whole.format(value) : precise.format(value);
}

/** `12.3K` from 100,000 on, where there is little room. */
export function shortNumber(value: number | undefined): string {
  return value !== undefined && value >= 100_000 ? short.format(value) : number(value);
}

/** `4 s`, `12 min`, `3 h`, `2 d`. */
export function age(ms: number | undefined): string {
  if (ms === undefined) return '–';
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 1) return 'now';
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

export function ago(ms: number | undefined): string {
  const text = age(ms);
  return text === 'now' || text === '–' ? text : `${text} ago`;
}

export function rate(perMinute: number): string {
  return perMinute >= 60
    ? `${number(Math.round(perMinute / 6) / 10)} requests/s`
    : `${number(perMinute)} requests/min`;
}
