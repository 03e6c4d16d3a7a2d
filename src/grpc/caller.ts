/**
 * Who waits for an answer. Its signal is made when somebody asks for it: most answers come out of memory, and
 * an AbortController for each of them would cost more than the answer.
 */
export class Caller {
  private controller: AbortController | undefined;
  private gone = false;

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.gone) this.controller.abort();
    }
    return this.controller.signal;
  }

  leave(): void {
    this.gone = true;
    this.controller?.abort();
  }
}
