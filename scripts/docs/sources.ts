import { z } from 'zod';
import { secretSettings } from '../../src/config/files.ts';
import { configSchema } from '../../src/config/schema.ts';
import type { AnySource } from '../../src/sources/source.ts';
import { kedaSecretKeys } from '../../src/triggers/common-params.ts';
import { code, table } from './table.ts';

/** The default of maxStalenessSeconds, if neither trigger nor source sets it. */
const usualStalenessSeconds = z
  .looseObject({ limits: z.looseObject({ maxStalenessSeconds: z.number() }) })
  .parse(configSchema.parse({ connections: {} })).limits.maxStalenessSeconds;

const stalenessOf = ({ maxStalenessSeconds = usualStalenessSeconds }: AnySource): number =>
  maxStalenessSeconds;

/** What fills the ledger, and on which path of the ingest port. Undefined if the source is only read. */
function filledBy({ kind, webhooks, cloudEvents }: AnySource): { by: string; path: string } | undefined {
  if (webhooks !== undefined) return { by: 'webhooks', path: `/ingest/${kind}` };
  return cloudEvents === undefined ? undefined : { by: 'CloudEvents', path: '/ingest/events' };
}

/** `docs/sources.md`: all sources side by side. */
export function sourcesPage(sources: readonly AnySource[]): string {
  const rows = sources.map((source) => {
    const filled = filledBy(source);
    return [
      `[${code(source.kind)}](${source.kind}.md)`,
      source.about.measures,
      filled === undefined ? 'reads' : `${filled.by}, at ${code(filled.path)}`,
      filled === undefined ? 'only with hints' : 'yes',
      `${stalenessOf(source)}; at least ${source.about.leastStaleness}`,
      source.about.reaches,
    ];
  });
  const head = [
    'source',
    'measures',
    'is filled by',
    'needs one pod, or NATS',
    '`maxStalenessSeconds`',
    'goes out to',
  ];
  return `# Sources

<!-- Made by \`npm run docs\` from the manifests in \`src/sources\`: change those, not this page. -->

${table(head, rows)}

- **Needs one pod, or NATS**: whether several pods need [\`eventLog: { type: nats }\`](pods.md). The logs \`memory\` and \`file\` belong to one pod.
- **\`maxStalenessSeconds\`**: the default, and the least that a trigger may ask for.
- **Goes out to**: what \`networkPolicy.egress\` of the chart must allow, beside DNS and proxies.
- [Keys of triggers](triggers.md), [settings](configuration.md), [how to write another source](../CONTRIBUTING.md#another-source).
`;
}

/** The parts of guides about all sources, by the names of their markers. */
export function guideParts(sources: readonly AnySource[]): Readonly<Record<string, string>> {
  const bySource = (head: string[], cells: (source: AnySource) => string[]): string =>
    table(
      ['source', ...head],
      sources.map((source) => [code(source.kind), ...cells(source)]),
    );
  const secrets = sources
    .map(({ kind, connectionKeys }) => ({
      kind: code(kind),
      keys: Object.keys(connectionKeys).filter((key) => connectionKeys[key]?.secret),
    }))
    .filter(({ keys }) => keys.length > 0);
  return {
    'hint subjects': bySource(['`<subject>`'], ({ about }) => [about.hint]),
    'oldest items': bySource(
      ['an item waits from', 'the age can be too small by'],
      ({ about: { oldest } }) => [oldest.since, oldest.tooSmallBy],
    ),
    'after a restart': bySource(['after a restart'], ({ about }) => [about.afterRestart]),
    'job strategies': bySource(['`default`', '`accurate`, `eager`'], ({ about: { jobs } }) => [
      jobs.default,
      jobs.accurate,
    ]),
    'secret keys': table(
      ['source', 'with `FromEnv` at their end'],
      [...secrets, { kind: 'all', keys: kedaSecretKeys }].map(({ kind, keys }) => [
        kind,
        keys.map(code).join(', '),
      ]),
    ),
  };
}

/** The text with the parts filled in between their markers. Throws if a marker has no part. */
export function filled(text: string, parts: Readonly<Record<string, string>>): string {
  return text.replaceAll(
    /(<!-- Made by `npm run docs`: (.+?) -->\n)[\s\S]*?(\n<!-- End -->)/g,
    (_, begin: string, name: string, end: string) => {
      const part = parts[name];
      if (part === undefined) throw new Error(`no part is called ${name}`);
      return `${begin}\n${part}\n${end}`;
    },
  );
}

/** The chart's `files/sources.yaml`: facts about sources for its templates. */
export function chartSources(sources: readonly AnySource[]): string {
  const entries = sources.flatMap((source) => {
    const filled = filledBy(source);
    return [
      `  ${source.kind}:`,
      ...(filled === undefined ? [] : [`    filledBy: ${filled.by}`, `    path: ${filled.path}`]),
      `    reaches: ${JSON.stringify(source.about.reaches)}`,
    ];
  });
  return `# Made by \`npm run docs\` from the manifests in src/sources: change those, not this file.
# Settings that hold a secret, wherever in the configuration they stand.
secretKeys: [${Object.keys(secretSettings(sources)).join(', ')}]
# The sources. One that is filled from outside has its events in a log of one pod.
sources:
${entries.join('\n')}
`;
}

/** The chart's schema of values with the names of all sources. */
export function withSourceNames(schema: string, sources: readonly AnySource[]): string {
  const names = sources.map(({ kind }) => JSON.stringify(kind)).join(', ');
  return schema.replace(/("source": \{\s*"type": "string",\s*"enum": )\[[^\]]*\]/, `$1[${names}]`);
}

/** The alert for readings that are nearly too old, at three quarters of each source's limit. */
export function readingOldAlert(sources: readonly AnySource[]): string {
  const limits = [...new Set(sources.map(stalenessOf))].map((seconds) => {
    const kinds = sources.filter((source) => stalenessOf(source) === seconds).map(({ kind }) => kind);
    return `backlog_scaler_trigger_reading_age_seconds{source=~"${kinds.join('|')}"} > ${0.75 * seconds}`;
  });
  return alert({
    name: 'BacklogScalerReadingOld',
    by: 'namespace, job, scaledobject_namespace, scaledobject, source, metric',
    how: 'max',
    expression: [
      '(',
      ...anyOf(limits).map((line) => `  ${line}`),
      ')',
      'and',
      'backlog_scaler_trigger_up == 1',
    ],
    for: '5m',
    summary: 'KEDA gets readings that are nearly too old.',
    description:
      'The last reading of the {{ $labels.source }} trigger {{ $labels.metric }} of {{ $labels.scaledobject_namespace }}/{{ $labels.scaledobject }} is {{ $value | humanizeDuration }} old.',
  });
}

/** The alert for a nearly used up limit of requests, at a tenth of each source's usual limit. */
export function rateLimitAlert(sources: readonly AnySource[]): string {
  const limits = sources.flatMap(({ kind, requestsAnHour }) =>
    requestsAnHour === undefined
      ? []
      : [`backlog_scaler_source_rate_limit_remaining{source="${kind}"} < ${requestsAnHour / 10}`],
  );
  return alert({
    name: 'BacklogScalerRateLimitLow',
    by: 'namespace, job, source, connection',
    how: 'min',
    expression: anyOf(limits),
    for: '10m',
    summary: "A source's hourly limit is nearly used up.",
    description:
      'The {{ $labels.source }} connection {{ $labels.connection }} may send {{ $value | humanize }} more requests in this hour.',
  });
}

function anyOf(expressions: readonly string[]): string[] {
  return expressions.flatMap((one, i) => (i === 0 ? [one] : ['or', one]));
}

interface Alert {
  readonly name: string;
  /** The labels of the metric. `how` says which of several values counts. */
  readonly by: string;
  readonly how: 'min' | 'max';
  readonly expression: readonly string[];
  readonly for: string;
  readonly summary: string;
  readonly description: string;
}

function alert({ name, by, how, expression, for: time, summary, description }: Alert): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  return `# Made by \`npm run docs\` from the manifests in src/sources: change those, not this file.
groups:
  - name: ${name}
    rules:
      - alert: ${name}
        expr: |
          ${how} by (${by}) (
${expression.map((line) => `            ${line}`).join('\n')}
          )
        for: ${time}
        labels:
          severity: warning
        annotations:
          summary: ${quoted(summary)}
          description: ${quoted(description)}
          runbook_url: docs/runbooks/${name}.md
`;
}
