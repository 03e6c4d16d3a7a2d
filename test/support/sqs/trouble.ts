/** What happens to a request instead of its answer. */
export type Trouble =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  /** It is accepted and never answered. */
  | { readonly kind: 'hang' }
  /** The connection is ended with a TCP reset. */
  | { readonly kind: 'reset' };

export const hang: Trouble = { kind: 'hang' };
export const reset: Trouble = { kind: 'reset' };

/*
 * Errors in SQS's JSON protocol. `__type` names a shape. `x-amzn-query-error` has the code of the older query protocol,
 * by which SDKs name the error.
 */

function refusal(status: number, type: string, queryCode: string, message: string): Trouble {
  return {
    kind: 'answer',
    status,
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-query-error': `${queryCode};Sender`,
      'x-amzn-requestid': '6d3a3a1e-0f0e-5f5e-9a55-000000000000',
    },
    body: JSON.stringify({ __type: type, message }),
  };
}

/** SQS's own throttling, a modelled error. */
export const requestThrottled = refusal(
  400,
  'com.amazonaws.sqs#RequestThrottled',
  'RequestThrottled',
  'Request is throttled.',
);

/** The throttling in front of every service of AWS. */
export const rateExceeded = refusal(
  400,
  'com.amazon.coral.availability#ThrottlingException',
  'Throttling',
  'Rate exceeded',
);

export const accessDenied = refusal(
  403,
  'com.amazon.coral.service#AccessDeniedException',
  'AccessDenied',
  'User: arn:aws:sts::123456789012:assumed-role/scaler/pod is not authorized to perform: sqs:getqueueattributes because no identity-based policy allows the sqs:getqueueattributes action',
);

export const expiredToken = refusal(
  403,
  'com.amazon.coral.service#ExpiredTokenException',
  'ExpiredToken',
  'The security token included in the request is expired',
);

export const invalidToken = refusal(
  403,
  'com.amazon.coral.service#UnrecognizedClientException',
  'InvalidClientTokenId',
  'The security token included in the request is invalid.',
);

/** Signed for another region than the endpoint's. */
export const wrongRegion = refusal(
  403,
  'com.amazon.coral.service#InvalidSignatureException',
  'SignatureDoesNotMatch',
  'Credential should be scoped to a valid region.',
);

/** A load balancer's own answer, without JSON. */
export const unavailable: Trouble = {
  kind: 'answer',
  status: 503,
  headers: { 'content-type': 'text/html' },
  body: '<html><body><b>Http/1.1 Service Unavailable</b></body></html>',
};

export const internalFailure: Trouble = {
  kind: 'answer',
  status: 500,
  headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-query-error': 'InternalFailure;Receiver' },
  body: JSON.stringify({ __type: 'com.amazon.coral.service#InternalFailure' }),
};

/** An answer without the requested attributes. */
export const noAttributes: Trouble = {
  kind: 'answer',
  status: 200,
  headers: { 'content-type': 'application/x-amz-json-1.0' },
  body: '{}',
};
