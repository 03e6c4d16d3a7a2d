/*
 * The only addresses that a message can make us call. They are matched as text and whole, before anything is
 * made of them: no other port, no user, no host that only looks like one of SNS.
 */

const host = String.raw`sns\.[a-z0-9-]{3,}\.amazonaws\.com(?:\.cn)?`;
const certificate = new RegExp(`^https://${host}/SimpleNotificationService-[0-9a-f]{32}\\.pem$`);
const subscribe = new RegExp(`^https://${host}/\\?([!-"$-~]+)$`);

/** Where SNS publishes the certificates that it signs with. */
export function isCertificateUrl(text: string): boolean {
  return certificate.test(text);
}

/** Whether a call of `SubscribeURL` does nothing but confirm the subscription of this topic. */
export function isSubscribeUrl(text: string, topic: string, token: string): boolean {
  const query = subscribe.exec(text)?.[1];
  if (query === undefined) return false;
  const params = new URLSearchParams(query);
  const is = (name: string, value: string): boolean => {
    const given = params.getAll(name);
    return given.length === 1 && given[0] === value;
  };
  return is('Action', 'ConfirmSubscription') && is('TopicArn', topic) && is('Token', token);
}
