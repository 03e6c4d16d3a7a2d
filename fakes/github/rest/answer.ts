/** A route's answer, before the headers that every answer has. */
export interface Answer {
  readonly statusCode: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const docs = 'https://docs.github.com/rest';

export function ok(body: unknown, headers: Record<string, string> = {}): Answer {
  return { statusCode: 200, body, headers };
}

/** GitHub's `basic-error`. */
export function refusal(
  statusCode: number,
  message: string,
  headers: Record<string, string> = {},
  documentation = docs,
): Answer {
  const body = { message, documentation_url: documentation, status: String(statusCode) };
  return { statusCode, body, headers };
}

export const notFound = refusal(404, 'Not Found');
export const badCredentials = refusal(401, 'Bad credentials');
export const notForIntegration = refusal(403, 'Resource not accessible by integration');
