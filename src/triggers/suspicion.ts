import type { Logger } from '../telemetry/log.ts';

/** So many triggers in a row whose nudges nobody answers: the cluster does not know them, or KEDA has too much to do. */
const silentTriggers = 3;
/** How long a cluster is left alone that does not know nudges. */
const restMs = 3_600_000;
/**
 * A cluster that has answered knows them. KEDA, whatever keeps it busy, gets these pauses first. Measured: 120 new
 * ScaledObjects, of other scalers too, keep it busy for a minute.
 */
const pausesMs: readonly number[] = [10_000, 20_000, 40_000];
/**
 * So many nudges in a row that were answered at once are no chance. Where nudges are not known, a look by the clock of the HPA
 * meets one by chance, and the second call of the same look the next.
 */
const promptAnswers = 6;

/** A trigger whose nudges nobody answers. */
export interface Silent {
  readonly id: string;
  readonly label: string;
  readonly namespace: string;
}

/**
 * Whether nudges are answered in this cluster, as far as is known now. Silence of one namespace alone says nothing of the
 * others: all its triggers may have `useCachedMetrics`.
 */
export class Suspicion {
  private readonly log: Logger;
  private proven = false;
  /** Of the last nudges, how many in a row were answered at once. */
  private prompt = 0;
  /** Whether so many ever were that it was no chance. */
  private answered = false;
  /** Triggers whose nudges nobody has answered since one was, each with its namespace. */
  private readonly silent = new Map<string, string>();
  /** Since one was answered. */
  private pauses = 0;
  private restUntilMs = Number.NEGATIVE_INFINITY;
  /** The one namespace that is left alone; undefined where all are. */
  private onlyNamespace: string | undefined;
  private said = false;

  constructor(log: Logger) {
    this.log = log;
  }

  /** Whether the last nudges were answered. */
  get isProven(): boolean {
    return this.proven;
  }

  /** Whether the triggers of a namespace are left alone. */
  rests(namespace: string, nowMs: number): boolean {
    if (nowMs >= this.restUntilMs) return false;
    return this.onlyNamespace === undefined || this.onlyNamespace === namespace;
  }

  /** A nudge was answered, before it was to be repeated. */
  answeredPromptly(): void {
    this.silent.clear();
    this.restUntilMs = Number.NEGATIVE_INFINITY;
    this.proven = true;
    this.prompt += 1;
    this.answered ||= this.prompt >= promptAnswers;
    this.pauses = 0;
    if (this.said) this.log.info({}, 'nudges are answered: all replicas come at once again');
    this.said = false;
  }

  /** One was not, or late. */
  missed(): void {
    this.prompt = 0;
  }

  /** A trigger is left alone, because its nudges are not answered. */
  gaveUp({ id, label, namespace }: Silent, nowMs: number): void {
    this.silent.set(id, namespace);
    if (this.silent.size < silentTriggers) return;
    const isOne = new Set(this.silent.values()).size === 1;
    const isFirst = nowMs >= this.restUntilMs || this.onlyNamespace === namespace;
    this.onlyNamespace = isOne && isFirst ? namespace : undefined;
    this.silent.clear();
    this.proven = false;
    const pauseMs = this.answered ? pausesMs[this.pauses] : undefined;
    this.restUntilMs = nowMs + (pauseMs ?? restMs);
    this.pauses += 1;
    if (pauseMs !== undefined || this.said) return;
    this.said = true;
    this.log.warn(
      {
        trigger: label,
        triggers: silentTriggers,
        againInSeconds: restMs / 1000,
        ...(this.onlyNamespace !== undefined && { onlyNamespace: namespace }),
      },
      'HPAs do not look when their target changes: the first replica comes at once, the others by the clock of the HPA; all at once needs KEDA 2.21 and Kubernetes 1.37 with its feature gate HPAGeneration',
    );
  }
}
