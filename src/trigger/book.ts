import { ScalerError } from '../errors.ts';
import { checkReference, idOf, type Reference } from '../triggers/reference.ts';
import { resolve, type World } from '../triggers/resolve.ts';
import type { Trigger } from './trigger.ts';

export interface BookOptions extends Omit<World, 'refuseSecretsFromEnv'> {
  /** How many resolved references are remembered; the oldest goes first, and is resolved anew when it is asked for. */
  maxRemembered: number;
  refuseSecretsFromEnv?: boolean;
  /** Is told of each reference that is refused, once for as long as it is remembered. */
  refused?: (error: ScalerError) => void;
}

/** Characters: anybody who reaches the port can send references, and each may be as long as a message. */
const maxRememberedLength = 32 * 1024 * 1024;

type Outcome = { trigger: Trigger; length: number } | { error: ScalerError; length: number };

/** Resolves references, each once: KEDA sends the same one at every poll. */
export class TriggerBook {
  private options: BookOptions;
  private readonly remembered = new Map<string, Outcome>();
  private rememberedLength = 0;

  constructor(options: BookOptions) {
    this.options = options;
  }

  /** A changed configuration: everything is resolved anew when it is next asked for. */
  use(changed: Partial<BookOptions>): void {
    this.options = { ...this.options, ...changed };
    this.remembered.clear();
    this.rememberedLength = 0;
  }

  /** Throws ScalerError `invalid` with every fault there is, or `denied`. */
  trigger(reference: Reference): Trigger {
    checkReference(reference);
    const id = idOf(reference);
    let outcome = this.remembered.get(id);
    if (!outcome) {
      outcome = this.resolve(id, reference);
      this.remember(id, outcome);
      if ('error' in outcome) this.options.refused?.(outcome.error);
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.trigger;
  }

  private resolve(id: string, reference: Reference): Outcome {
    const length = lengthOf(reference);
    try {
      const measured = resolve(reference, { refuseSecretsFromEnv: false, ...this.options });
      return { trigger: { id, reference, ...measured }, length };
    } catch (reason) {
      return { error: ScalerError.from(reason), length };
    }
  }

  private remember(id: string, outcome: Outcome): void {
    this.remembered.set(id, outcome);
    this.rememberedLength += outcome.length;
    for (const [oldest, { length }] of this.remembered) {
      if (!this.full) break;
      this.remembered.delete(oldest);
      this.rememberedLength -= length;
    }
  }

  private get full(): boolean {
    return this.remembered.size > this.options.maxRemembered || this.rememberedLength > maxRememberedLength;
  }
}

function lengthOf({ namespace, name, metadata }: Reference): number {
  const entries = Object.entries(metadata);
  return entries.reduce(
    (sum, [key, value]) => sum + key.length + value.length,
    namespace.length + name.length,
  );
}
