/** What random sequences never send, and why. Everything else in the command table may come up. A command stands for its
 *  subcommands too. */
export const EXCLUDED: Readonly<Record<string, string>> = {
  shutdown: 'ends the server',
  debug: 'SEGFAULT, PANIC, OOM and SLEEP end or stop the server',
  replicaof: 'makes the server a replica of nothing: no command would be served',
  slaveof: 'the same',
  failover: 'the same',
  'client|pause': 'stops every client of the server, as it is meant to',
  'client|kill': 'ends the sessions whose health is being watched, as it is meant to',
  'config|set': 'maxmemory, requirepass and the like change what every other session sees',
  'config|rewrite': 'writes files',
  swapdb: 'exchanges the watched keys for others, as it is meant to',
  migrate: 'waits for another server, with the whole server standing still',
  save: 'writes files while the server stands still',
  bgsave: 'forks',
  bgrewriteaof: 'forks and writes files',
  pfselftest: 'holds the server for seconds',
  'script|debug': 'forks a debugging session, or with SYNC stops the server',
  module: 'loads foreign code',
  acl: 'ACL SETUSER default and ACL LOAD take every session’s rights; ACL is tested by itself',
  cluster: 'may stop a node for seconds; the server is no cluster',
  latency: 'LATENCY DOCTOR and GRAPH are texts that depend on time alone',
  'nearcache.getlease': 'Redis does not know it',
  'nearcache.setlease': 'the same',
  auth: 'a wrong guess is logged at the server for ever; it is tested by itself',
};

/** Is this command, or the container it is in, left out? Shape: `client|kill`. */
export function isExcluded(name: string): boolean {
  return name in EXCLUDED || (name.split('|')[0] as string) in EXCLUDED;
}
