/** One part of `owner/name`. If it had only dots, it would be a step in the path of an address. */
const part = /^(?!\.{1,2}$)[a-z0-9_.-]{1,100}$/;

/** `owner/name` in lower case, as this source writes repositories. Undefined if these are not names. */
export function repoOf(owner: string, name: string): string | undefined {
  const parts = [owner.toLowerCase(), name.toLowerCase()];
  return parts.every((text) => part.test(text)) ? parts.join('/') : undefined;
}

/** Whether it is a name by GitHub's rules: of an owner, an enterprise, or a repository without its owner. */
export function isName(text: string): boolean {
  return part.test(text.toLowerCase());
}

/** Whether it is `name` or `owner/name`. */
export function isRepoName(text: string): boolean {
  const parts = text.split('/');
  return parts.length <= 2 && parts.every(isName);
}

/** Whether it is `owner/name`. */
export function namesOwner(text: string): boolean {
  return text.includes('/');
}

/** The repositories as `owner/name`, lower case, each once, sorted. A name alone gets `owner`. */
export function fullNames(owner: string, names: readonly string[]): readonly string[] {
  const full = names.map((name) => (namesOwner(name) ? name : `${owner}/${name}`).toLowerCase());
  return [...new Set(full)].sort();
}

/** Whether the repository `owner/name` belongs to `owner`. */
export function isOf(owner: string, repo: string): boolean {
  return repo.toLowerCase().startsWith(`${owner.toLowerCase()}/`);
}
