import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { parseArgs } from 'node:util';
import { ADMIN_FORM, parseAdmin } from '../config/addresses.ts';
import type { AdminAddress } from '../config/config.ts';

const USAGE = 'usage: nearcache healthcheck [--admin host:port]';
const ADMIN_VARIABLE = 'NEARCACHE_ADMIN';
const FILE_VARIABLE = 'NEARCACHE_CONFIG';
/** As `--admin` is when nobody says otherwise. */
const DEFAULT_ADMIN = '127.0.0.1:9379';
/** Less than the timeout of any sensible probe, so that the reason is still told. */
const ANSWER_MS = 2_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** `nearcache healthcheck`: ask a running nearcache whether it is alive, for images without curl. Where it is asked is found
 *  as `serve` finds it: flag, then variable, then file; nothing else of the configuration is looked at, since a file that was
 *  broken later must not make a healthy process look ill.
 *  Shape: resolves with the exit code, 0 alive, 1 anything else (Docker keeps 2 for itself); one line says why.
 *  Cost: loads none of what serves apps; an orchestrator runs this every few seconds. */
export async function healthcheck(argv: readonly string[], env: Environment): Promise<number> {
  try {
    const address = await adminAddress(argv, env);
    const status = await askLivez(address);
    if (status === 200) return 0;
    throw new Error(`/livez of ${address.host}:${address.port} answered ${status}`);
  } catch (error) {
    console.error(`nearcache healthcheck: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

async function adminAddress(argv: readonly string[], env: Environment): Promise<AdminAddress> {
  const text = flagOf(argv) ?? (env[ADMIN_VARIABLE] || (await adminOfFile(env[FILE_VARIABLE])));
  const { value, problem } = parseAdmin(text ?? DEFAULT_ADMIN);
  if (problem !== undefined) throw new Error(`${problem}; accepted: ${ADMIN_FORM}`);
  if (value === undefined) throw new Error('the admin server is off, so there is nothing to ask');
  return { ...value, host: reachable(value.host) };
}

function flagOf(argv: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...argv], options: { admin: { type: 'string' } } }).values.admin;
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}; ${USAGE}`, { cause: error });
  }
}

/** YAML is loaded only where a file may name the address. */
async function adminOfFile(path: string | undefined): Promise<string | undefined> {
  if (!path) return undefined;
  const { parseDocument } = await import('yaml');
  const admin = parseDocument(readFileSync(path, 'utf8')).get('admin');
  return typeof admin === 'string' ? admin : undefined;
}

/** A server on every address is asked over loopback. */
function reachable(host: string): string {
  return host === '::' || host === '0.0.0.0' ? '127.0.0.1' : host;
}

/** Node's http rather than fetch, which takes three times as long to load. */
function askLivez({ host, port }: AdminAddress): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get({ host, port, path: '/livez', agent: false, timeout: ANSWER_MS }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.once('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
    request.once('error', ({ message }) => reject(new Error(`cannot ask ${host}:${port}: ${message}`)));
  });
}
