import { ScalerError } from '../errors.ts';
import { bytesOf, type Reference } from './reference.ts';

export interface TriggerLimits {
  readonly triggers: number;
  readonly triggersPerNamespace: number;
  /** Bytes of what is kept of references. */
  readonly metadataBytes: number;
  readonly metadataBytesPerNamespace: number;
  /** How many refused references are remembered. The oldest is dropped first, and resolved again at its next call. */
  readonly refusedTriggers: number;
  readonly leaseSeconds: number;
  readonly maxLeaseSeconds: number;
  readonly coldReadTimeoutMs: number;
  readonly maxStalenessSeconds: number;
}

interface Usage {
  triggers: number;
  bytes: number;
}

/** What live triggers take, of what all and each namespace may take. */
export class Room {
  private readonly used: Usage = { triggers: 0, bytes: 0 };
  private readonly usedBy = new Map<string, Usage>();

  /** Throws ScalerError `exhausted` where there is no room for one more; else it counts from now on. */
  admit(reference: Reference, limits: TriggerLimits): void {
    const { namespace } = reference;
    const bytes = bytesOf(reference);
    const own = this.usedBy.get(namespace) ?? { triggers: 0, bytes: 0 };
    const inNamespace = `namespace ${namespace} has`;
    if (this.used.triggers >= limits.triggers) {
      throw exhausted('limits.triggers', `${limits.triggers} triggers are live already`);
    }
    if (own.triggers >= limits.triggersPerNamespace) {
      throw exhausted('limits.triggersPerNamespace', `${inNamespace} ${own.triggers} live triggers already`);
    }
    if (this.used.bytes + bytes > limits.metadataBytes) {
      throw exhausted('limits.metadataBytes', `live triggers have ${this.used.bytes} bytes of metadata`);
    }
    if (own.bytes + bytes > limits.metadataBytesPerNamespace) {
      throw exhausted('limits.metadataBytesPerNamespace', `${inNamespace} ${own.bytes} bytes of metadata`);
    }
    this.usedBy.set(namespace, own);
    count(this.used, 1, bytes);
    count(own, 1, bytes);
  }

  /** One that was admitted is gone. */
  leave(reference: Reference): void {
    const bytes = bytesOf(reference);
    const own = this.usedBy.get(reference.namespace);
    count(this.used, -1, -bytes);
    if (own) count(own, -1, -bytes);
    if (own?.triggers === 0) this.usedBy.delete(reference.namespace);
  }
}

function count(usage: Usage, triggers: number, bytes: number): void {
  usage.triggers += triggers;
  usage.bytes += bytes;
}

function exhausted(limit: string, situation: string): ScalerError {
  return new ScalerError('exhausted', `${limit}: ${situation}; raise it`);
}
