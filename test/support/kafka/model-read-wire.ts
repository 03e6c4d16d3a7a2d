import { ScalerError } from '../../../src/errors.ts';
import {
  highestCommon,
  type KafkaAnswer,
  type KafkaRequest,
  type Spoken,
} from '../../../src/sources/kafka/upstream/protocol/api.ts';
import { Decoder } from '../../../src/sources/kafka/upstream/protocol/decoder.ts';
import { Encoder } from '../../../src/sources/kafka/upstream/protocol/encoder.ts';
import type { Wire } from '../../../src/sources/kafka/upstream/wire/wire.ts';
import type { ModelKafka } from './model-kafka.ts';
import { answerOf } from './model-read-answers.ts';

/** A wire to a broker of the model. Requests and answers go through bytes. */
export class ModelReadWire implements Wire {
  readonly address: string;
  closed = false;
  readonly throttledMs = 0;
  private readonly model: ModelKafka;
  private readonly rejects = new Set<(reason: ScalerError) => void>();

  constructor(address: string, model: ModelKafka) {
    this.address = address;
    this.model = model;
  }

  takes(api: Spoken): boolean {
    return this.versionOf(api) !== undefined;
  }

  private versionOf(api: Spoken): number | undefined {
    return highestCommon(api, { min: 0, max: this.model.newestVersions.get(api.apiKey) ?? 99 });
  }

  send<T extends KafkaAnswer>(request: KafkaRequest<T>, timeoutMs: number): Promise<T> {
    const versioned = request.at(this.versionOf(request) ?? -1);
    const to = new Encoder();
    versioned.write(to);
    return new Promise<T>((resolve, reject) => {
      if (this.closed) return reject(gone(this.address));
      const timer = setTimeout(() => this.close(), timeoutMs);
      const fail = (reason: ScalerError): void => {
        clearTimeout(timer);
        reject(reason);
      };
      this.rejects.add(fail);
      const { names, bytes } = answerOf(versioned, new Decoder(to.finish()), this.model, this.address);
      this.model.asked.push({ address: this.address, apiName: request.apiName, names });
      if (this.model.hanging.has(this.address) || this.model.frozen.has(this)) return;
      const later = (answer: () => void) =>
        this.model.slowMs === 0 ? setImmediate(answer) : setTimeout(answer, this.model.slowMs);
      later(() => {
        clearTimeout(timer);
        this.rejects.delete(fail);
        if (!this.closed) resolve(versioned.read(new Decoder(bytes)));
      });
    });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.model.wires.delete(this);
    for (const reject of this.rejects) reject(gone(this.address));
  }
}

function gone(address: string): ScalerError {
  return new ScalerError('unavailable', `the socket to ${address} is closed`);
}
