/** Far more queues than an account's triggers name. */
const maxUrls = 10_000;

/** The URLs of queues that are known by name, each asked for once. */
export class QueueUrls {
  private readonly urls = new Map<string, string>();

  async of(name: string, ask: () => Promise<string>): Promise<string> {
    const known = this.urls.get(name);
    if (known !== undefined) return known;
    const url = await ask();
    for (const oldest of this.urls.keys()) {
      if (this.urls.size < maxUrls) break;
      this.urls.delete(oldest);
    }
    this.urls.set(name, url);
    return url;
  }

  forget(name: string): void {
    this.urls.delete(name);
  }
}
