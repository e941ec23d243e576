import fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../metrics/registry.ts';

/** What the endpoints tell; read at each request. */
export interface AdminState {
  /** All listeners are open. */
  readonly started: boolean;
  /** The process was told to stop. */
  readonly draining: boolean;
  shards(): readonly ShardState[];
}

/** One shard as an operator sees it. Shape: `state` is a word such as up or down; `error` says why. */
export interface ShardState {
  readonly name: string;
  readonly address: string;
  readonly state: string;
  readonly error?: string;
}

/** A running admin server. */
export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

interface AdminOptions {
  /** `::` = every address, or every IPv4 address on a machine without IPv6. */
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly metrics: Metrics;
  readonly state: AdminState;
  readonly logger: Logger;
  /** In which a request has to be there, whole. Units: ms. */
  readonly requestMs?: number;
}

const REQUEST_MS = 10_000;
/** Far more than probes and Prometheus need; each takes an open file, of which the apps' connections have the rest. */
const CONNECTIONS_MAX = 64;

const ENDPOINTS = [
  ['/startupz', '200 once the listeners are open'],
  ['/livez', '200 while the process can answer'],
  ['/readyz', '200 from then on until it is told to stop; the body has the state of each shard'],
  ['/metrics', 'Prometheus metrics'],
] as const;

const INDEX = `nearcache admin\n\n${ENDPOINTS.map(([path, text]) => `${path.padEnd(12)}${text}\n`).join('')}`;

/** Serve health and metrics over HTTP. Errors: rejects with a sentence for a person when the address cannot be
 *  listened on. Bounds: `CONNECTIONS_MAX`, further ones are closed; one that asks nothing whole within `requestMs` hears 408. Cost: never
 *  touches Redis. */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const { state, metrics, logger, requestMs = REQUEST_MS } = options;
  const server = fastify({
    logger: false,
    forceCloseConnections: true,
    requestTimeout: requestMs,
    http: { headersTimeout: requestMs, connectionsCheckingInterval: requestMs / 4 },
  });
  server.server.maxConnections = CONNECTIONS_MAX;
  addHealth(server, state);
  server.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  server.get('/', (_, reply) => reply.type('text/plain; charset=utf-8').send(INDEX));
  server.setNotFoundHandler(({ method, url }, reply) =>
    reply
      .code(404)
      .type('text/plain; charset=utf-8')
      .send(`${method} ${url}: there is no such endpoint. GET / lists those there are.\n`),
  );
  server.setErrorHandler((error, { url }, reply) => {
    logger.error({ reason: url, error }, 'an admin endpoint failed');
    return reply.code(500).type('text/plain; charset=utf-8').send('internal error; see the log\n');
  });
  const port = await listen(server, options.host, options.port);
  return { port, close: () => server.close() };
}

/** Redis is in no status code: an outage must neither restart the sidecar (the app would lose its connections and
 *  the cache) nor take the pod out of its Service (all pods at once). It is in the body, for people. */
function addHealth(server: FastifyInstance, state: AdminState): void {
  server.get('/livez', () => ({ status: 'live' }));
  server.get('/startupz', (_, reply) =>
    reply.code(state.started ? 200 : 503).send({ status: state.started ? 'started' : 'starting' }),
  );
  server.get('/readyz', (_, reply) => {
    const status = state.draining ? 'draining' : state.started ? 'ready' : 'starting';
    return reply.code(status === 'ready' ? 200 : 503).send({ status, shards: state.shards() });
  });
}

async function listen(server: FastifyInstance, host: string, port: number): Promise<number> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (host === '::' && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL')) {
      return listen(server, '0.0.0.0', port);
    }
    throw new Error(`cannot open the admin server: ${explain(code, host, port, error)}`, { cause: error });
  }
  const address = server.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

function explain(code: unknown, host: string, port: number, error: unknown): string {
  if (code === 'EADDRINUSE') return `port ${port} of ${host} is in use; choose another with --admin, or off`;
  if (code === 'EACCES') return `port ${port} needs privileges; choose one over 1023 with --admin`;
  if (code === 'EADDRNOTAVAIL') return `${host} is not an address of this machine; change --admin`;
  return error instanceof Error ? error.message : String(error);
}
