import { generateAuthToken } from 'aws-msk-iam-sasl-signer-js';
import { ScalerError } from '../../../errors.ts';
import { cachedToken } from './cached-token.ts';
import type { TokenProvider } from './security.ts';

/** A token is used until this long before it ends; MSK's live 15 minutes, or as long as the credentials. */
const marginMs = 60_000;
/** The AWS default chain may ask services of the pod or of AWS, and has no limit of its own for all of them. */
const credentialsTimeoutMs = 10_000;

/**
 * Tokens for AWS MSK's IAM listener, which is OAUTHBEARER on the wire. Credentials come from the AWS default
 * chain; signing itself needs no network. Rejects with ScalerError `unavailable`, without a secret.
 */
export function mskIamToken({ region }: { region: string }): TokenProvider {
  return cachedToken(async () => {
    try {
      const { token, expiryTime } = await withinTime(generateAuthToken({ region }));
      return { value: token, usableMs: expiryTime - Date.now() - marginMs };
    } catch (reason) {
      const name = reason instanceof Error ? reason.name : 'Error';
      throw new ScalerError(
        'unavailable',
        `no AWS credentials to sign the login to MSK in ${region} with (${name}): check the pod's role or environment`,
        { cause: reason },
      );
    }
  });
}

function withinTime<T>(promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(Object.assign(new Error('no credentials in time'), { name: 'TimeoutError' }));
    }, credentialsTimeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
