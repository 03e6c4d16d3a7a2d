/** "Look now", posted by the producer to the scaler's ingest. */
export class Hints {
  private readonly url: string;
  private readonly token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  /** Throws where it is not taken. Resolves with the time at which it was posted. */
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
