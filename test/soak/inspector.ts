import { once } from 'node:events';

/** What lives in a process of Node after its garbage was collected. Units: bytes, those outside V8's heap apart. */
export interface LiveObjects {
  readonly heapBytes: number;
  readonly bufferBytes: number;
  /** Timers that were neither cancelled nor have run for the last time, those included that would not keep it alive. */
  readonly timers: number;
}

/** A timer of the process, to know what all of them have in common. */
const A_TIMER =
  '{ const timer = setTimeout(() => {}, 1); clearTimeout(timer); Object.getPrototypeOf(timer) }';
/** Those that are set, but for what Node itself sets for connections of HTTP, which come and go with whoever reads metrics. */
const COUNT_THOSE_SET = `function () {
  const isSet = (timer) => timer._destroyed === false && timer._onTimeout?.name !== 'onStreamTimeout';
  return this.filter(isSet).length;
}`;

/** Asks a process that was started with `--inspect`; it stands still for some ten milliseconds.
 *  Source: https://chromedevtools.github.io/devtools-protocol/v8 */
export async function liveObjects(url: string): Promise<LiveObjects> {
  const session = await InspectorSession.open(url);
  try {
    type Remote = { objectId: string; value: number };
    const { result } = await session.send<{ result: Remote }>('Runtime.evaluate', { expression: A_TIMER });
    // Collects garbage, to find what lives.
    const { objects } = await session.send<{ objects: Remote }>('Runtime.queryObjects', {
      prototypeObjectId: result.objectId,
    });
    const counted = await session.send<{ result: Remote }>('Runtime.callFunctionOn', {
      objectId: objects.objectId,
      functionDeclaration: COUNT_THOSE_SET,
      returnByValue: true,
    });
    const heap = await session.send<{ usedSize: number; backingStorageSize?: number }>(
      'Runtime.getHeapUsage',
    );
    const { usedSize, backingStorageSize } = heap;
    return { heapBytes: usedSize, bufferBytes: backingStorageSize ?? 0, timers: counted.result.value };
  } finally {
    await session.close();
  }
}

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

class InspectorSession {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #sent = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.id === undefined) return;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    socket.addEventListener('close', () => {
      for (const tell of this.#waiting.values()) tell({ error: { message: 'the inspector has closed' } });
    });
  }

  static async open(url: string): Promise<InspectorSession> {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    return new InspectorSession(socket);
  }

  async send<T>(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const id = ++this.#sent;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await promise;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
