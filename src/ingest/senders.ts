import type { AnySource, InboundCloudEvent } from '../sources/source.ts';
import { type Receiver, receiversOf } from './receiver.ts';
import { type Token, Tokens } from './tokens.ts';

/** What ingest knows of a connection that may be hinted. */
export interface Hinted {
  readonly name: string;
  /** The ARNs of the SNS topics that may wake it. */
  readonly snsTopics: ReadonlySet<string>;
  /** What a CloudEvent says for its ledger, or undefined where that is nothing. Without it CloudEvents are hints. */
  readonly fact?: (event: InboundCloudEvent) => unknown;
}

/** Who may send, and for whom: taken from one configuration, and replaced as a whole. */
export interface Senders {
  /** The connections that take webhooks. */
  readonly receivers: readonly Receiver[];
  /** All connections, by name. */
  readonly connections: ReadonlyMap<string, Hinted>;
  readonly tokens: Tokens;
}

export const noSenders: Senders = { receivers: [], connections: new Map(), tokens: new Tokens([]) };

interface Configured {
  readonly name: string;
  readonly source: AnySource;
  readonly config: unknown;
}

export function sendersOf(connections: Iterable<Configured>, tokens: readonly Token[]): Senders {
  const all = [...connections];
  return {
    receivers: receiversOf(all),
    connections: new Map(all.map((one) => [one.name, hintedOf(one)])),
    tokens: new Tokens(tokens),
  };
}

/** Whether anybody may send anything. */
export function anySender({ receivers, connections, tokens }: Senders): boolean {
  return (
    receivers.length > 0 ||
    tokens.size > 0 ||
    [...connections.values()].some(({ snsTopics }) => snsTopics.size > 0)
  );
}

function hintedOf({ name, source, config }: Configured): Hinted {
  const { cloudEvents } = source;
  return {
    name,
    snsTopics: new Set(source.snsTopics?.(config) ?? []),
    ...(cloudEvents === undefined
      ? {}
      : { fact: (event: InboundCloudEvent) => cloudEvents.fact(config, event) }),
  };
}
