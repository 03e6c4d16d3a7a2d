import { createVerify, type KeyObject, type Verify } from 'node:crypto';
import { type Message, signedText } from './message.ts';

/** By `SignatureVersion`: PKCS #1 v1.5 with SHA-1, and with SHA-256 where the topic asks for it. */
const algorithms = new Map([
  ['1', 'RSA-SHA1'],
  ['2', 'RSA-SHA256'],
]);

/** A message's signature, before the key is there: the text is hashed already, and need not be kept. */
export class Signature {
  private readonly verifier: Verify;
  private readonly signature: string;

  /** Undefined where the version is none that SNS has. */
  static of(message: Message): Signature | undefined {
    const algorithm = algorithms.get(message.SignatureVersion);
    return algorithm === undefined ? undefined : new Signature(algorithm, message);
  }

  private constructor(algorithm: string, message: Message) {
    this.verifier = createVerify(algorithm).update(signedText(message), 'utf8');
    this.signature = message.Signature;
  }

  /** Once. */
  isBy(key: KeyObject): boolean {
    return this.verifier.verify(key, this.signature, 'base64');
  }
}
