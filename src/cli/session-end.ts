/** Why a session ends. */
export type Reason =
  | { readonly kind: 'client-closed' }
  /** stdin was closed before a message came: nobody is there who speaks MCP. */
  | { readonly kind: 'no-client' }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals };

/** The one end of a session; the first reason counts. */
export class SessionEnd {
  readonly reached: Promise<Reason>;
  #urgent = false;
  #resolve: ((reason: Reason) => void) | undefined;

  constructor() {
    this.reached = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  because(reason: Reason): void {
    this.#resolve?.(reason);
    this.#resolve = undefined;
  }

  /** A signal came: whoever sent it does not wait long. */
  hurry(): void {
    this.#urgent = true;
  }

  get isUrgent(): boolean {
    return this.#urgent;
  }

  get isReached(): boolean {
    return this.#resolve === undefined;
  }
}
