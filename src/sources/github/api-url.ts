import { withoutFinalDot } from '../../server-name.ts';

/** GitHub's own; GitHub Enterprise Server has `https://HOST/api/v3`, data residency `https://api.SUBDOMAIN.ghe.com`. */
export const githubApiUrl = 'https://api.github.com';

/** In one spelling, without the last slash (octokit puts one); undefined: not an address for an API. */
export function normaliseApiUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(withoutFinalDot(text));
  const isPlain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!isPlain || !/^https?:$/.test(url.protocol)) return undefined;
  return url.href.replace(/\/+$/, '');
}
