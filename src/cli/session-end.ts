/** Why a session ends. */
export type Reason =
  | { readonly kind: 'client-closed' }
  /** stdin was closed before a message came: nobody is there who speaks MCP. */
  | { readonly kind: 'no-client' }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals };

/** The one end of a session; the first reason counts. */
export class SessionEnd {
  readonly reached: Promise<Reason>;
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

  get isReached(): boolean {
    return this.#resolve === undefined;
  }
}
