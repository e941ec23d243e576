/** What a request may claim and hold. Units: bytes, but for `argsMax` (a count).
 *  Source: Redis 7.0.15, `PROTO_INLINE_MAX_SIZE`, `proto-max-bulk-len`, and INT_MAX for the number of arguments. */
export interface RequestLimits {
  /** The longest argument a client may announce. */
  readonly bulkBytes: number;
  readonly argsMax: number;
  /** The longest inline request, and the longest line that announces a count or a length. */
  readonly inlineBytes: number;
  /** An incomplete request larger than this is not collected: it is handed on while it arrives. */
  readonly bigBytes: number;
}

/** Redis's own defaults. A count or a length costs nothing until its bytes arrive, so they may be generous. */
export const DEFAULT_REQUEST_LIMITS: RequestLimits = {
  bulkBytes: 512 * 1024 * 1024,
  argsMax: 2_147_483_647,
  inlineBytes: 64 * 1024,
  bigBytes: 1024 * 1024,
};

/** What Redis allows before AUTH, so that strangers cannot make it hold much. Source: networking.c, `authRequired`. */
export const UNAUTHENTICATED_ARGS_MAX = 10;
export const UNAUTHENTICATED_BULK_BYTES = 16_384;

/** How deep arrays may nest in a reply. The deepest that Redis can send is a script's nested tables, which Lua's
 *  stack ends at 7,996 levels (measured); so this refuses garbage only, and a connection's stack stays under 64 KiB. */
export const REPLY_DEPTH_MAX = 8192;
