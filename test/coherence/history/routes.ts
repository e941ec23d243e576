import type { Argument } from '../../support/raw-client.ts';
import type { Caller, Login, Outcome } from './client.ts';
import type { Via } from './history.ts';
import type { Stage } from './stage.ts';

/** A way to Redis that is made again when it was lost. */
export class Route {
  readonly via: Via;
  readonly #stage: Stage;
  readonly #login: Login;
  #client: Caller | undefined;

  constructor(stage: Stage, via: Via, login: Login) {
    this.#stage = stage;
    this.via = via;
    this.#login = login;
  }

  /** A connection that works, or undefined when there is none now. */
  async client(): Promise<Caller | undefined> {
    if (this.#client?.isClosed === false) return this.#client;
    const { world } = this.#stage;
    this.#client =
      this.via === 'outside'
        ? world.outside(this.#login)
        : await world.app(this.#login).catch(() => undefined);
    return this.#client;
  }

  /** One command, or undefined when there is no connection. */
  async call(...args: readonly Argument[]): Promise<Outcome | undefined> {
    return (await this.client())?.call(...args);
  }

  close(): void {
    this.#client?.close();
  }
}

/** The ways that a writer may take: nearcache in both protocols, and past it. */
export function allRoutes(stage: Stage, db = 0): Route[] {
  return [
    new Route(stage, 'proxy', { proto: 2, db }),
    new Route(stage, 'proxy', { proto: 3, db }),
    new Route(stage, 'outside', { proto: 2, db }),
    new Route(stage, 'outside', { proto: 3, db }),
  ];
}
