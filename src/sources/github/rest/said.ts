import type { Answer } from './exchange.ts';

const shownLength = 200;
/** GitHub's tokens by their prefixes, and JWTs: a proxy may show in its answer what we have sent. */
const secrets = /\b(gh[a-z]_|github_pat_|eyJ)[\w.-]+/g;

/** GitHub's own word about a refusal, fit for a message: short, one line, no token. '' where it says none. */
export function said({ text }: Pick<Answer, 'text'>): string {
  const message = messageOf(text);
  return message.replace(secrets, '…').replace(/\s+/g, ' ').trim().slice(0, shownLength);
}

function messageOf(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null || !('message' in body)) return '';
    return typeof body.message === 'string' ? body.message : '';
  } catch {
    // A proxy's page, which is not GitHub's word.
    return '';
  }
}
