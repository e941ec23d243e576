/** Lua that keeps its Redis busy for ARGV[1] ms of Redis's own clock, on any machine. More may follow it. */
export const STAY_BUSY: string =
  "local t = redis.call('TIME') local till = t[1] * 1000000 + t[2] + ARGV[1] * 1000 " +
  "repeat t = redis.call('TIME') until t[1] * 1000000 + t[2] > till ";
