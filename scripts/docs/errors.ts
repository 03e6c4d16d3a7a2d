import { status as Code } from '@grpc/grpc-js';
import { type ErrorCode, ScalerError } from '../../src/errors.ts';
import { codeName, toStatus } from '../../src/grpc/status.ts';
import { type Message, messagesIn } from './messages.ts';
import { type Row, type Section, sections } from './remedies.ts';
import { table } from './table.ts';

const intro = `# Messages

<!-- Made by \`npm run docs\` from the code and scripts/docs/remedies.ts: change those, not this page. -->

Search for a few words of your message between names and numbers. Left out here are the trigger, connection, broker or queue in front, and the
end that says what to do. Names and numbers are \`…\`. An empty “do” means that the message says it. For symptoms without a message, see
[troubleshooting.md](troubleshooting.md).

The code is what KEDA gets by gRPC. *config* is a fault of the configuration. *info*, *warn* and *error* are lines of the log.

## Lines of the log

Each is a JSON object on one line, such as

\`\`\`json
{"level":"warn","time":"2026-11-29T22:04:11.402Z","source":"kafka","connection":"orders","subject":"order-workers orders readUncommitted",
 "code":"unavailable","error":"kafka connection \\"orders\\": no broker answers: broker kafka-0.kafka:9093 refuses the connection: is it running, and is this its port?",
 "msg":"cannot be read; logged once for all affected subjects"}
\`\`\`

| field | is |
| --- | --- |
| \`msg\` | the message: search it below |
| \`error\` | why, and what to do: search it too |
| \`code\` | what KEDA gets: \`invalid\` is INVALID_ARGUMENT, \`denied\` PERMISSION_DENIED, \`not_found\` NOT_FOUND, \`unavailable\` UNAVAILABLE, \`exhausted\` RESOURCE_EXHAUSTED, \`internal\` INTERNAL |
| \`source\`, \`connection\` | where it happened |
| \`subject\` | the first of those that cannot be read: of Kafka the group, its topics and isolation level |
| \`decision\`, and fields beside it | [what KEDA gets for a trigger from now on](decisions.md#fields); \`msg\` is \`decision\` |
| \`applied\`, \`keys\`, \`faults\` | what became of a [change of the configuration](troubleshooting.md#a-change-that-does-nothing) |
| \`alsoRefused\` | refused triggers that were not logged: 30 a minute are |
| \`err\` | the stack of a bug |

No line has the version. \`backlog_scaler_build_info\` and the status page do.

**A failure is logged once**, for all its subjects and reads. It is logged again with another reason, or when it comes back after *can be read again*, a
restart of the scaler or a change of its connection. A refused trigger is logged once for its metadata and reason, until its lease ends.
\`/api/triggers\` always has the present error.

## What happens when something fails

| what | see |
| --- | --- |
| a source, or the only pod | [what KEDA does](operations.md#when-something-is-down), [restarts](operations.md#restarts) |
| one of several pods | [one pod, several, several with NATS](pods.md#do-you-need-nats) |
| NATS of the event log | [meanwhile](pods.md#when-nats-is-away) |
| webhooks, GitHub, its limit | [lost or down](github.md#when-something-is-lost-or-down) |
| senders, and the answers they get | [answers](ingest.md#answers) |
| the event log | [after a restart, new, damaged](events.md#the-event-log) |
| push streams of KEDA | [errors close the stream](keda.md#errors-close-the-stream) |
| surges | [when it does not work](scaling.md#when-it-does-not-work) |
| Jobs | [when something fails](scaledjobs.md#when-something-fails) |
| connections through a firewall | [that die silently](kafka.md#connections-that-die-silently) |
| all of it, tried | [what was broken on purpose](chaos.md) |

Commands that show the cause: [Kafka](kafka.md#what-a-failure-looks-like), [SQS](sqs.md#what-a-failure-looks-like),
[GitHub](github.md#what-a-failure-looks-like), [NATS](nats.md#what-a-failure-looks-like), [events](events.md#what-a-failure-looks-like).
`;

/** docs/errors.md: all messages of `src`. Throws if a message has no row, or a row no message. */
export function errorsPage(messages = messagesIn()): string {
  const faults: string[] = [];
  const left = new Set(messages);
  const parts = sections.map((section) => {
    const own = [...left].filter(({ file, text }) => section.files.test(file) && isOf(section, text));
    for (const one of own) left.delete(one);
    return part(section, own, faults);
  });
  for (const { file, text } of left) faults.push(`no section for src/${file}: ${text}`);
  if (faults.length > 0) throw new Error(`scripts/docs/remedies.ts:\n${faults.join('\n')}`);
  return `${[intro, ...parts].join('\n')}`;
}

/** The messages of all sources are by their texts; a section of some files has every message of them. */
function isOf({ isOfAll, rows }: Section, text: string): boolean {
  return isOfAll !== true || rows.some(([pattern]) => pattern.test(text));
}

function part({ title, intro, rows }: Section, messages: readonly Message[], faults: string[]): string {
  const taken = new Map<Row, Message[]>(rows.map((row) => [row, []]));
  for (const message of messages) {
    const row = rows.find(([pattern]) => pattern.test(message.text));
    if (row === undefined) faults.push(`no row for src/${message.file}: ${message.text}`);
    else taken.get(row)?.push(message);
  }
  const cells = [...taken].map(([[pattern, cause, remedy = ''], found]) => {
    if (found.length === 0) faults.push(`${title}: no message is like ${pattern}`);
    const texts = found.map(({ text }) => beginning(text));
    // A text of values alone, such as a broker and what it says, finds nothing.
    const findable = texts.filter((text) => text.replaceAll('…', '').match(/[a-z]{2,}/i) !== null);
    return [
      shown((findable.length > 0 ? findable : texts).map(literal)),
      shown(found.map(codeOf)),
      cause,
      remedy,
    ];
  });
  const text = intro === undefined ? '' : `${intro}\n\n`;
  return `## ${title}\n\n${text}${table(['message', 'code', 'cause', 'do'], cells)}\n`;
}

const place =
  /^(?:limits\.\w+: |queue …(?: in …)?: |stream …, consumer …: |(?:broker|topic) …: |…: )*(?:broker …(?= )|NATS at …(?= )|GitHub \(…\)(?= ))?/;

/** What a message is found by: not the place in front, and at least four words up to a stop. */
function beginning(text: string): string {
  const own = text
    .replace(place, (found) => (found === '' || found.endsWith(': ') ? '' : '…'))
    .replace(/ \(did you mean "…"\?\)$|(?<=\w)…$/, '')
    .replace(/^(\S+: )?must be .*/, '$1must be …');
  const stops = [...own.matchAll(/[:;,] | \(/g)].map(({ index }) => own.slice(0, index));
  return stops.find((before) => (before.match(/[a-z]{2,}/gi)?.length ?? 0) >= 4) ?? own;
}

function shown(texts: readonly string[]): string {
  return [...new Set(texts)].join('<br>');
}

/** Any text as Markdown code. */
function literal(text: string): string {
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}

function codeOf({ code }: Message): string {
  if (code === 'configuration') return '*config*';
  if (['info', 'warn', 'error'].includes(code)) return `*${code}*`;
  // The other codes are ScalerError's, as messages.ts reads them.
  const status = toStatus(new ScalerError(code as ErrorCode, '')).code;
  return status === Code.INTERNAL ? code : codeName(status);
}
