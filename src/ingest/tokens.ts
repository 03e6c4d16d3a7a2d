import { bearerOf, hashOf, isSame } from '../bearer.ts';

/** A bearer token, and whom it may send to. */
export interface Token {
  /** For people; two may have one name while one is replaced. */
  readonly name: string;
  /** Never logged. */
  readonly token: string;
  /** The names of connections. */
  readonly connections: readonly string[];
}

/** What a request's token is good for. */
export interface Bearer {
  readonly name: string;
  readonly connections: ReadonlySet<string>;
}

/** All tokens of a configuration. */
export class Tokens {
  private readonly known: readonly { hash: Buffer; bearer: Bearer }[];

  constructor(tokens: readonly Token[]) {
    this.known = tokens.map(({ name, token, connections }) => ({
      hash: hashOf(token),
      bearer: { name, connections: new Set(connections) },
    }));
  }

  get size(): number {
    return this.known.length;
  }

  /**
   * What an `Authorization` header is good for (RFC 6750 §2.1); undefined: no token of ours. Hashes are of equal
   * length and each is compared, also after one that fits: time tells nothing, and one token may be listed twice.
   */
  bearer(authorization: string | undefined): Bearer | undefined {
    const given = bearerOf(authorization);
    if (given === undefined) return undefined;
    const hash = hashOf(given);
    const fitting = this.known.filter((one) => isSame(one.hash, hash)).map(({ bearer }) => bearer);
    const [first] = fitting;
    if (first === undefined || fitting.length === 1) return first;
    return {
      name: first.name,
      connections: new Set(fitting.flatMap(({ connections }) => [...connections])),
    };
  }
}
