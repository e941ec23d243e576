import { encodeRequest } from '../protocol/encoder.ts';
import { OwnCall } from './call.ts';
import { ANY_DB, type SharedConnection } from './shared-connection.ts';

/** More are not remembered: the oldest have long ended. */
const GHOSTS_MAX = 1000;

/** Connections that were lost while Redis may still have had commands of theirs: what they carried may run until Redis has noticed
 *  the loss, or has been told to end them.
 *  Shape: client ids at Redis. */
export class Ghosts {
  readonly #ids = new Set<number>();
  readonly #asked = new Set<number>();
  readonly #control: () => SharedConnection;

  constructor(control: () => SharedConnection) {
    this.#control = control;
  }

  add(clientId: number | undefined): void {
    if (clientId === undefined || !(clientId > 0)) return;
    this.#ids.add(clientId);
    const [oldest] = this.#ids;
    if (this.#ids.size > GHOSTS_MAX) this.#ids.delete(oldest as number);
  }

  /** Have Redis end them all. True when none is left; else ask again. */
  bury(): boolean {
    const control = this.#control();
    const newest = control.server?.clientId ?? 0;
    for (const id of this.#ids) {
      // Ids only rise while a server lives: this one has been started since, and that client died with it.
      if (control.isReady && newest < id) this.#ids.delete(id);
      else if (!this.#asked.has(id)) this.#kill(control, id);
    }
    return this.#ids.size === 0;
  }

  #kill(control: SharedConnection, id: number): void {
    this.#asked.add(id);
    const bytes = encodeRequest(['CLIENT', 'KILL', 'ID', String(id)]);
    const call = new OwnCall((reply) => {
      this.#asked.delete(id);
      if (reply !== undefined) this.#ids.delete(id);
    });
    control.submit(call, bytes, 0, bytes.length, ANY_DB);
  }
}
