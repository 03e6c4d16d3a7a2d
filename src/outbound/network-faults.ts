/**
 * What a system error of a connection means, in words that follow the name of the host. A source that knows which setting
 * to check has its own words.
 */
export const networkFaults = {
  ECONNREFUSED: 'refuses the connection: is it running, and is this its port?',
  ENOTFOUND: 'has a host name that does not exist',
  EAI_AGAIN: 'has a host name that cannot be resolved now',
  EHOSTUNREACH: 'cannot be reached: no route to its host',
  ENETUNREACH: 'cannot be reached: no route to its network',
  ETIMEDOUT: 'does not answer: its host is gone or drops packets',
  ECONNRESET: 'closed the connection',
  EPIPE: 'closed the connection',
} as const;
