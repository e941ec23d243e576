import RedisParser from 'redis-parser';

import type { Resp2Value } from './resp-arbitrary.ts';

/** What the npm package redis-parser makes of RESP2 bytes: an oracle that shares nothing with src/protocol.
 *  Errors: throws when the bytes are not RESP2 or end within a value. */
export function parseWithOracle(bytes: Buffer): Resp2Value[] {
  const replies: Resp2Value[] = [];
  let fatal: Error | undefined;
  const parser = new RedisParser({
    returnBuffers: true,
    returnReply: (reply: unknown) => replies.push(valueOf(reply)),
    returnError: (error: Error) => replies.push(valueOf(error)),
    returnFatalError: (error: Error) => {
      fatal = error;
    },
  });
  // It parses one value at a time, so a value more shows that the one before it was whole.
  parser.execute(Buffer.concat([bytes, Buffer.from(':7\r\n')]));
  if (fatal !== undefined) throw fatal;
  if (replies.pop() !== 7) throw new Error('the bytes end within a value');
  return replies;
}

function valueOf(reply: unknown): Resp2Value {
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  if (reply instanceof Error) return { error: reply.message };
  if (Array.isArray(reply)) return reply.map(valueOf);
  return reply as string | number | null;
}
