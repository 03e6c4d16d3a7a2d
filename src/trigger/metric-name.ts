import { createHash } from 'node:crypto';

/** KEDA puts `s<index>-` in front, and the HPA uses it as a path segment and a label value of at most 63. */
const maxLength = 63;
const digestLength = 8;

/**
 * `<source>-<slug of the parts>` in `[a-z0-9-]`. A pure function of the parts, never of thresholds: the poll
 * and the HPA must ask for the same name after a threshold has changed, on every pod and after a restart.
 */
export function metricName(source: string, parts: readonly string[]): string {
  const slug = [source, ...parts]
    .join('-')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  if (slug.length <= maxLength) return slug;
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, digestLength);
  return `${slug.slice(0, maxLength - digestLength - 1).replace(/-$/, '')}-${digest}`;
}
