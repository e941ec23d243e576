import type { OptionKey, Settings } from './option.ts';
import { MB, printSize } from './units.ts';

/** Settings that are fine alone and not together. */
interface Rule {
  /** What the rule looks at; the first is the one to change. */
  readonly keys: readonly OptionKey[];
  readonly isBroken: (settings: Settings) => boolean;
  readonly text: string;
}

/** Below it a store could not keep its segments apart. */
const CACHE_BYTES_MIN = MB;

const RULES: readonly Rule[] = [
  {
    keys: ['cacheBytes'],
    isBroken: (all) => all.cacheBytes > 0 && all.cacheBytes < CACHE_BYTES_MIN,
    text: `must be 0 (no cache) or at least ${printSize(CACHE_BYTES_MIN)}`,
  },
  {
    keys: ['upstreamPasswordFile', 'upstreamPassword'],
    isBroken: (all) => all.upstreamPassword !== undefined && all.upstreamPasswordFile !== undefined,
    text: 'give either --upstream-password or the file that holds it',
  },
  {
    keys: ['reconnectBaseMs', 'reconnectMaxMs'],
    isBroken: (all) => all.reconnectBaseMs > all.reconnectMaxMs,
    text: 'must not be over --reconnect-max',
  },
  {
    keys: ['listen', 'tlsCert'],
    isBroken: (all) => all.tlsCert === undefined && all.listen.some(({ kind }) => kind === 'tls'),
    text: 'a tls:// listener needs --tls-cert and --tls-key',
  },
  needs('tlsCert', 'tlsKey', '--tls-key'),
  needs('tlsKey', 'tlsCert', '--tls-cert'),
  needs('tlsCa', 'tlsCert', '--tls-cert'),
  needs('upstreamTlsCert', 'upstreamTlsKey', '--upstream-tls-key'),
  needs('upstreamTlsKey', 'upstreamTlsCert', '--upstream-tls-cert'),
  needsTls('upstreamTlsCa'),
  needsTls('upstreamTlsCert'),
  needsTls('upstreamTlsKey'),
  needsTls('upstreamTlsServerName'),
];

/** Find the settings that do not go together. Shape: the key to change and what is wrong with it; a rule that
 *  looks at one of `invalid` says nothing, since its value there is not the user's. */
export function findContradictions(
  settings: Settings,
  invalid: ReadonlySet<string>,
): readonly { readonly key: OptionKey; readonly text: string }[] {
  return RULES.filter((rule) => !rule.keys.some((key) => invalid.has(key)) && rule.isBroken(settings)).map(
    ({ keys, text }) => ({ key: keys[0] as OptionKey, text }),
  );
}

function needs(key: OptionKey, other: OptionKey, flag: string): Rule {
  return {
    keys: [key, other],
    isBroken: (all) => all[key] !== undefined && all[other] === undefined,
    text: `is of no use without ${flag}`,
  };
}

/** Beside redis:// it would be ignored, and someone would believe that the link is encrypted. */
function needsTls(key: OptionKey): Rule {
  return {
    keys: [key, 'upstream'],
    isBroken: (all) => all[key] !== undefined && !all.upstream.tls,
    text: 'has no effect beside a redis:// upstream; write rediss:// for TLS',
  };
}
