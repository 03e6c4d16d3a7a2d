/** How a wire is encrypted; `false`: not at all. Texts are PEM. */
export type TlsSecurity =
  | false
  | {
      readonly ca?: string;
      readonly cert?: string;
      readonly key?: string;
      /** Takes any certificate. */
      readonly insecureSkipVerify?: boolean;
    };

/** A current bearer token. Rejects with ScalerError. Called at each login, so it caches. */
export type TokenProvider = () => Promise<string>;

export type SaslSecurity =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly mechanism: 'oauthbearer';
      readonly token: TokenProvider;
      /** SASL extensions sent beside the token (KIP-342). */
      readonly extensions?: Readonly<Record<string, string>>;
    };

/** What a dialer needs to be let in: the resolved `tls` and `sasl` of a connection. Holds secrets: never logged. */
export interface KafkaSecurity {
  readonly tls: TlsSecurity;
  /** Absent: no login. */
  readonly sasl?: SaslSecurity;
}
