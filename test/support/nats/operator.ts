import { nkeys } from '@nats-io/transport-node';

/**
 * A server's configuration that trusts one operator, and the `.creds` file of a user of its one account, as nsc makes
 * them.
 */
export function operatorMode(): { config: string; creds: string } {
  const [operator, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createUser()];
  // JetStream needs an account for the server itself.
  const system = nkeys.createAccount();
  const unlimited = {
    subs: -1,
    data: -1,
    payload: -1,
    imports: -1,
    exports: -1,
    wildcards: true,
    conn: -1,
    leaf: -1,
  };
  const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const accountJwt = jwt(operator, account, 'scalers', {
    type: 'account',
    limits: { ...unlimited, ...storage },
  });
  const systemJwt = jwt(operator, system, 'system', { type: 'account', limits: unlimited });
  const userJwt = jwt(account, user, 'scaler', { type: 'user', subs: -1, data: -1, payload: -1 });
  const operatorJwt = jwt(operator, operator, 'tests', { type: 'operator' });
  const seed = new TextDecoder().decode(user.getSeed());
  return {
    config: `operator: ${operatorJwt}
resolver: MEMORY
system_account: ${system.getPublicKey()}
resolver_preload: { ${account.getPublicKey()}: ${accountJwt}, ${system.getPublicKey()}: ${systemJwt} }`,
    creds: `-----BEGIN NATS USER JWT-----
${userJwt}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${seed}
------END USER NKEY SEED------
`,
  };
}

type Key = ReturnType<typeof nkeys.createUser>;

/** Claims of version 2 of NATS' own JWTs, signed by the issuer's key. */
function jwt(issuer: Key, subject: Key, name: string, claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = {
    jti: name,
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name,
    nats: { ...claims, version: 2 },
  };
  const signed = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(body)}`;
  return `${signed}.${Buffer.from(issuer.sign(new TextEncoder().encode(signed))).toString('base64url')}`;
}
