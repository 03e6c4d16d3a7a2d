import type { Asked, Facts } from './fault-facts.ts';

/** What keeps a request from being answered at all; undefined where it was answered. */
export function networkFault({ code, systemCode }: Facts, asked: Asked): string | undefined {
  const { endpoint, region, requestTimeoutMs, limitMs } = asked;
  const host = endpoint ?? `AWS's endpoint of ${region}`;
  if (systemCode === 'ENOTFOUND') {
    return `${host} does not exist: check the connection's ${endpoint === undefined ? 'region' : 'endpoint'}`;
  }
  const known = faults[systemCode];
  if (known !== undefined) return `${host} ${known}`;
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL|EPROTO/.test(systemCode)) {
    return `${host} shows a certificate that we do not trust, or speaks no TLS (${systemCode})`;
  }
  if (code === 'TimeoutError') return `${host} does not answer within ${requestTimeoutMs} ms`;
  if (code === 'OutOfTime') {
    return `there were no AWS credentials, or no whole answer, within ${limitMs} ms`;
  }
  if (code === 'AbortError') return 'the read was given up before an answer came';
  return undefined;
}

const faults: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses the connection: is it running, and is this its port?',
  EAI_AGAIN: 'has a name that cannot be resolved now',
  EHOSTUNREACH: 'cannot be reached: no route to its host',
  ENETUNREACH: 'cannot be reached: no route to its network',
  ECONNRESET: 'closes the connection',
  EPIPE: 'closes the connection',
};
