/** Sends the producer's hint, "look now", to the scaler's ingest. */
export class Hints {
  private readonly url: string;
  private readonly token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  /** Throws if it is not accepted. Resolves with the time it was sent. */
  async post(): Promise<number> {
    const atMs = performance.now();
    const answer = await fetch(this.url, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.token}` },
    });
    const text = await answer.text();
    if (answer.status !== 202) throw new Error(`the hint was answered with ${answer.status}: ${text}`);
    return atMs;
  }
}
