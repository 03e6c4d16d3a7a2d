/** The base addresses in this GitHub's answers, without a slash at the end. */
export interface Urls {
  readonly api: string;
  readonly html: string;
}

/** GitHub's times have whole seconds. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
